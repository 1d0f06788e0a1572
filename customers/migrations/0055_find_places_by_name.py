"""Places by name are looked up in an index, without capitals and accents."""

from django.contrib.postgres.indexes import OpClass
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0054_school_holidays_and_plain_text")]

    operations = [
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                OpClass(
                    models.Func("city", function="customers_plain", output_field=models.TextField()),
                    name="text_pattern_ops",
                ),
                name="customer_city_plain",
            ),
        ),
    ]
