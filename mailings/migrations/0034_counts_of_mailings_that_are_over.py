"""How many messages are in each state is counted once for a mailing that is over, and again only when one changes."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
-- State -> messages, as kept while that holds, else counted now.
CREATE FUNCTION mailings_states(mailing bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT tally.states FROM mailings_tally AS tally JOIN mailings_mailing AS own ON own.id = tally.mailing_id
         WHERE tally.mailing_id = $1 AND own.state IN ('finished', 'cancelled')
         AND NOT EXISTS (SELECT FROM mailings_tallychange AS change WHERE change.mailing_id = $1)),
        (SELECT coalesce(jsonb_object_agg(counted.state, counted.n), '{}') FROM (
            SELECT message.state, count(*) AS n FROM mailings_message AS message
            WHERE message.mailing_id = $1 GROUP BY message.state) AS counted))
$$;

CREATE FUNCTION mailings_count(mailing bigint, wanted text[]) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(one.value::bigint), 0)::bigint FROM jsonb_each_text(mailings_states($1)) AS one (state, value)
    WHERE $2 IS NULL OR one.state = ANY($2)
$$;

-- With what is done something happens after all: it is rare, so delivery pays a comparison and no more.
CREATE FUNCTION mailings_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mailings_tallychange (mailing_id) VALUES (OLD.mailing_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER message_changed_after_all AFTER UPDATE OF state ON mailings_message FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND OLD.state IN ('sent', 'failed', 'in_doubt', 'withdrawn'))
    EXECUTE FUNCTION mailings_note_change();

CREATE FUNCTION mailings_note_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mailings_tallychange (mailing_id) SELECT DISTINCT mailing_id FROM gone;
    RETURN NULL;
END
$$;
CREATE TRIGGER messages_gone AFTER DELETE ON mailings_message REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION mailings_note_gone();
"""

BACKWARD = """
DROP TRIGGER messages_gone ON mailings_message;
DROP FUNCTION mailings_note_gone();
DROP TRIGGER message_changed_after_all ON mailings_message;
DROP FUNCTION mailings_note_change();
DROP FUNCTION mailings_count(bigint, text[]);
DROP FUNCTION mailings_states(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("mailings", "0033_tests_of_one_version_and_to_a_number")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "mailing",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="tally",
                        serialize=False,
                        to="mailings.mailing",
                    ),
                ),
                ("states", models.JSONField(verbose_name="messages by state")),
            ],
            options={"verbose_name": "count of a mailing", "verbose_name_plural": "counts of mailings"},
        ),
        migrations.CreateModel(
            name="TallyChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mailing_id", models.BigIntegerField(db_index=True)),
            ],
            options={"verbose_name": "change of a count", "verbose_name_plural": "changes of counts"},
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
