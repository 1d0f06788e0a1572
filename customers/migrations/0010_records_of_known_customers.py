"""Who was known before there were records gets one per source, saying what stood on the customer."""

from django.db import migrations

FORWARD = """
    WITH alone AS (
        SELECT customer.*, branch.code AS branch_code
        FROM (SELECT id FROM customers_customer) AS wanted (wanted_id)
        JOIN customers_customer AS customer ON customer.id = wanted_id
        LEFT JOIN customers_branch AS branch ON branch.id = customer.branch_id
        WHERE customer.merged_into_id IS NULL
            AND NOT EXISTS (SELECT FROM customers_sourcerecord AS known WHERE known.customer_id = customer.id)
    ),
    points AS (
        SELECT DISTINCT ON (point.customer_id, point.source_id, point.channel) point.customer_id, point.source_id,
            point.channel, point.value, point.updated_at
        FROM customers_contactpoint AS point JOIN alone ON alone.id = point.customer_id
        ORDER BY point.customer_id, point.source_id, point.channel, point.is_primary DESC, point.updated_at DESC
    ),
    said AS (
        SELECT customer_id, source_id, jsonb_object_agg(channel, value) AS values,
            jsonb_object_agg(channel, updated_at) AS changed
        FROM points GROUP BY customer_id, source_id
    )
    INSERT INTO customers_sourcerecord (source_id, key, customer_id, values, changed, created_at, updated_at)
    SELECT alone.source_id, alone.number, alone.id,
        jsonb_build_object('kind', alone.kind, 'initials', alone.initials, 'first_name', alone.first_name,
            'name_prefix', alone.name_prefix, 'last_name', alone.last_name,
            'birth_date', coalesce(alone.birth_date::text, ''), 'gender', alone.gender, 'street', alone.street,
            'house_number', alone.house_number, 'house_number_addition', alone.house_number_addition,
            'postal_code', alone.postal_code, 'city', alone.city, 'branch', coalesce(alone.branch_code, ''),
            'registered_on', coalesce(alone.registered_on::text, ''),
            'deceased_on', coalesce(alone.deceased_on::text, '')) || coalesce(said.values, '{}'),
        coalesce(said.changed, '{}'), alone.created_at, alone.updated_at
    FROM alone LEFT JOIN said ON said.customer_id = alone.id AND said.source_id = alone.source_id
    UNION ALL
    SELECT said.source_id, alone.number, alone.id, said.values, said.changed, alone.created_at, alone.updated_at
    FROM said JOIN alone ON alone.id = said.customer_id WHERE said.source_id <> alone.source_id
    ON CONFLICT (source_id, key) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0007_chain_is_unbroken")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
