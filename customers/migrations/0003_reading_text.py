"""Functions that read what files contain; what they cannot read is NULL, not an error."""

from django.db import migrations

# Not one of them is STRICT: the planner writes a function into the statement (ten times faster) only when it is not.
FORWARD = r"""
-- 2015-02-28, 28-02-2015 or 28/2/2015; NULL for 31 February, month 13, year 0 and anything else.
CREATE FUNCTION customers_day(year int, month int, day int) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN year < 1 OR month NOT BETWEEN 1 AND 12 OR day NOT BETWEEN 1 AND 31 THEN NULL
    WHEN day <= 28
        OR day <= extract(day FROM make_date(year, month, 1) + interval '1 month' - interval '1 day')
    THEN make_date(year, month, day)
END;

CREATE FUNCTION customers_read_date(value text) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN value ~ '^\d{4}-\d\d-\d\d$'
    THEN customers_day(left(value, 4)::int, substr(value, 6, 2)::int, right(value, 2)::int)
    WHEN value ~ '^\d{1,2}[-/]\d{1,2}[-/]\d{4}$'
    THEN customers_day(
        right(value, 4)::int,
        split_part(replace(value, '/', '-'), '-', 2)::int,
        split_part(replace(value, '/', '-'), '-', 1)::int
    )
END;

-- A date with a time; without a zone it is Amsterdam's. NULL for what is not a moment.
CREATE FUNCTION customers_read_moment(value text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN value ~ ('^\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?'
            || ' ?(?:Z|[+-](?:0\d|1[0-4]):?[0-5]\d)?$')
    THEN CASE
        WHEN customers_day(left(value, 4)::int, substr(value, 6, 2)::int, substr(value, 9, 2)::int) IS NULL THEN NULL
        WHEN substr(value, 17) ~ '[Z+-]' THEN replace(value, ',', '.')::timestamptz
        ELSE replace(value, ',', '.')::timestamp AT TIME ZONE 'Europe/Amsterdam'
    END
    WHEN value ~ '^\d{1,2}[-/]\d{1,2}[-/]\d{4} (?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?$'
    THEN (customers_read_date(split_part(value, ' ', 1)) + split_part(value, ' ', 2)::time)
        AT TIME ZONE 'Europe/Amsterdam'
END;

-- 12 | 12,5 | 12.50 | 1.234,50 | € 12,50 | -3,00 as cents; NULL for what is not an amount.
CREATE FUNCTION customers_read_cents(value text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN value ~ '^-?(?:€ ?)?\d{1,9}(?:[.,]\d{1,2})?$'
    THEN round(replace(translate(value, '€ ', ''), ',', '.')::numeric * 100)::bigint
    WHEN value ~ '^-?(?:€ ?)?\d{1,3}(?:\.\d{3}){1,3}(?:,\d{1,2})?$'
    THEN round(replace(translate(value, '€ .', ''), ',', '.')::numeric * 100)::bigint
END;

-- A whole number that fits; NULL for what is not one.
CREATE FUNCTION customers_read_whole(value text) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value ~ '^-?\d{1,9}$' THEN value::int END;

-- As customers.names has it: +31612345678, a@b.nl in lower case, 1441AB.
CREATE FUNCTION customers_read_phone(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substring(
    regexp_replace(
        regexp_replace(regexp_replace(replace(value, '(0)', ''), '[^0-9+]', '', 'g'), '^00', '+'), '^0', '+31'
    ) FROM '^\+[1-9]\d{7,14}$'
);

CREATE FUNCTION customers_read_email(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN length(value) <= 254 AND strpos(value, '@') <= 65
    THEN substring(lower(value) FROM
        '^[a-z0-9!#$%&''*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&''*+/=?^_`{|}~-]+)*'
        || '@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$')
END;

CREATE FUNCTION customers_read_postal_code(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN upper(replace(value, ' ', '')) ~ '^[1-9]\d{3}[A-Z]{2}$'
        AND right(upper(value), 2) NOT IN ('SA', 'SD', 'SS')
    THEN upper(replace(value, ' ', ''))
END;

-- 1441AB|12|a: customers.names.household_key; NULL when the address is not complete enough to share a home.
CREATE FUNCTION customers_household_key(postal_code text, house_number text, addition text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN postal_code <> '' AND house_number ~ '^\d{1,9}'
    THEN left(
        postal_code || '|' || substring(house_number FROM '^\d{1,9}')::int || '|' || regexp_replace(
            lower(regexp_replace(house_number, '^\d{1,9}', '') || addition), '[^a-z0-9]', '', 'g'
        ), 60)
END;
"""

BACKWARD = """
DROP FUNCTION customers_household_key(text, text, text);
DROP FUNCTION customers_read_postal_code(text);
DROP FUNCTION customers_read_email(text);
DROP FUNCTION customers_read_phone(text);
DROP FUNCTION customers_read_whole(text);
DROP FUNCTION customers_read_cents(text);
DROP FUNCTION customers_read_moment(text);
DROP FUNCTION customers_read_date(text);
DROP FUNCTION customers_day(int, int, int);
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_append_only_consents")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
