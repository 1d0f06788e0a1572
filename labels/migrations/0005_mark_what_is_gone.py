"""The database marks for whom something is gone: a run that looks at changes alone finds no row of it any more.

Statement triggers on deletes cost nothing elsewhere; that on updates fires for who leaves a household only.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION labels_mark_customers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO labels_changemark (customer_id) SELECT DISTINCT customer_id FROM gone;
    RETURN NULL;
END $$;

CREATE FUNCTION labels_mark_households() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO labels_changemark (household_id) SELECT DISTINCT household_id FROM gone WHERE household_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION labels_mark_household() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO labels_changemark (household_id) VALUES (OLD.household_id);
    RETURN NULL;
END $$;

CREATE TRIGGER labels_mark_gone AFTER DELETE ON customers_subscription
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION labels_mark_customers();
CREATE TRIGGER labels_mark_gone AFTER DELETE ON customers_facttotal
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION labels_mark_customers();
CREATE TRIGGER labels_mark_gone AFTER DELETE ON customers_customer
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION labels_mark_households();
CREATE TRIGGER labels_mark_left AFTER UPDATE OF household_id ON customers_customer FOR EACH ROW
    WHEN (OLD.household_id IS NOT NULL AND OLD.household_id IS DISTINCT FROM NEW.household_id)
    EXECUTE FUNCTION labels_mark_household();
"""

REVERSE = """
DROP TRIGGER labels_mark_left ON customers_customer;
DROP TRIGGER labels_mark_gone ON customers_customer;
DROP TRIGGER labels_mark_gone ON customers_facttotal;
DROP TRIGGER labels_mark_gone ON customers_subscription;
DROP FUNCTION labels_mark_household();
DROP FUNCTION labels_mark_households();
DROP FUNCTION labels_mark_customers();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("labels", "0004_thresholds_values_and_changes"),
        ("customers", "0052_read_the_usual_quickly"),
    ]

    operations = [migrations.RunSQL(FORWARD, REVERSE)]
