"""The books of vouchers stay as they are, except that a person who is erased goes out of them."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("vouchers", "0001_initial"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="redemption",
            name="append_only",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="reversal",
            name="append_only",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="redemption",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND current_setting('wise.erasing', true) = 'on'\n                AND to_jsonb(NEW) - ARRAY['customer_id', 'reference', 'idempotency_key', 'fingerprint'] = to_jsonb(OLD) - ARRAY['customer_id', 'reference', 'idempotency_key', 'fingerprint'] THEN\n                RETURN NEW;\n            END IF;\n            RAISE EXCEPTION 'Cannot update or delete rows from % table', TG_TABLE_NAME;\n        ",  # noqa: E501
                    hash="2aa58b7cfb4a0287125decb101f5c5524aab9afd",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_eb547",
                    table="vouchers_redemption",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reversal",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND current_setting('wise.erasing', true) = 'on'\n                AND to_jsonb(NEW) - ARRAY['reason'] = to_jsonb(OLD) - ARRAY['reason'] THEN\n                RETURN NEW;\n            END IF;\n            RAISE EXCEPTION 'Cannot update or delete rows from % table', TG_TABLE_NAME;\n        ",  # noqa: E501
                    hash="5010069c5ffab15108a4adfe3deda6951a0bd23c",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_daaeb",
                    table="vouchers_reversal",
                    when="BEFORE",
                ),
            ),
        ),
    ]
