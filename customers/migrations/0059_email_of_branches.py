"""The e-mail address of a branch is where people reach it; from which address it sends is its house style."""

from django.db import migrations, models

RENAME = """
    UPDATE customers_importchange SET
        before = CASE WHEN before ? '{old}' THEN before - '{old}' || jsonb_build_object('{new}', before -> '{old}')
            ELSE before END,
        after = CASE WHEN after ? '{old}' THEN after - '{old}' || jsonb_build_object('{new}', after -> '{old}')
            ELSE after END
    WHERE "table" = 'customers_branch'
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0058_changes_of_guardians")]

    operations = [
        migrations.RenameField("branch", "sender_email", "email"),
        migrations.AlterField("branch", "email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
        # What imports changed is undone by column.
        migrations.RunSQL(
            RENAME.format(old="sender_email", new="email"), RENAME.format(old="email", new="sender_email")
        ),
    ]
