from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0004_sending_permission"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="access",
            options={
                "default_permissions": (),
                "managed": False,
                "permissions": [
                    ("view_workbench", "See the workbench and its figures"),
                    ("view_customers", "See customers and what they did"),
                    ("change_customers", "Change customers, their labels and consents"),
                    ("run_imports", "Import files"),
                    ("manage_labels", "Make and change labels"),
                    ("manage_selections", "Make and change selections"),
                    ("export_customers", "Export customers"),
                    ("manage_campaigns", "Make and run actions and campaigns"),
                    ("manage_newsletters", "Make and send newsletters"),
                    ("manage_mailings", "Send, pause and cancel mailings"),
                    ("approve_mailings", "Approve large mailings that somebody else started"),
                    ("manage_sending", "Change over the API how and when is sent"),
                    ("manage_purposes", "Change over the API what customers are reached for and on what ground"),
                    ("manage_data", "Change over the API what is kept and counted, and for how long"),
                    ("manage_vouchers", "Make voucher definitions and issue vouchers"),
                    ("redeem_vouchers", "Redeem vouchers at the counter"),
                    ("reverse_redemptions", "Reverse a redemption"),
                    ("use_api", "Use the API"),
                    ("manage_integrations", "Give out and withdraw API tokens"),
                    ("manage_users", "Manage users and settings"),
                    ("manage_privacy", "Handle requests about privacy: copies, restriction, erasure"),
                ],
            },
        ),
    ]
