"""Second factors, who needs one, and accounts for emergencies."""

import apps.core.ids
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import definer_function, walled

# Whether one of a person's organizations asks it for a factor, before any is opened; answers yes or no only.
ASKS_FACTOR = """
CREATE OR REPLACE FUNCTION accounts_asks_factor(p_user uuid, p_administrative text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM accounts_member m
    JOIN accounts_organization o ON o.id = m.organization_id
    JOIN accounts_role r ON r.organization_id = m.organization_id AND r.id = m.role_id
    WHERE m.user_id = p_user AND m.deactivated_at IS NULL
      AND (o.factor_policy = 'everybody'
           OR o.factor_policy = 'administrators' AND r.permissions::text[] && p_administrative)
  )
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_auditor"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="factor_grace_days",
            field=models.PositiveSmallIntegerField(
                default=14,
                help_text="Days from the policy, or from joining, until nothing goes without a factor.",
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="factor_policy",
            field=models.CharField(
                choices=[
                    ("nobody", "Nobody"),
                    ("administrators", "Administrators"),
                    ("everybody", "Everybody"),
                ],
                default="nobody",
                help_text="Who needs a second factor here.",
                max_length=14,
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="factor_policy_since",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AddField(
            model_name="user",
            name="break_glass_until",
            field=models.DateTimeField(
                blank=True,
                help_text="Set for an emergency account: nothing of it works afterwards.",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(help_text="The human-readable name of this device.", max_length=64),
                ),
                ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
                (
                    "last_step",
                    models.BigIntegerField(
                        default=0, help_text="The newest time step a code was taken from."
                    ),
                ),
                (
                    "sign_count",
                    models.BigIntegerField(default=0, help_text="Of a passkey; a smaller one means a copy."),
                ),
                (
                    "credential_id",
                    models.CharField(
                        blank=True,
                        help_text="Of a passkey, in base64url: one key, one owner.",
                        max_length=1400,
                        null=True,
                        unique=True,
                    ),
                ),
                (
                    "authenticator",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="mfa.authenticator"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BreakGlass",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("reason", models.CharField(max_length=200)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("used_from", models.GenericIPAddressField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["organization", "expires_at"],
                        name="accounts_breakglass_open",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="tokenfamily",
            name="factor",
            field=models.BigIntegerField(
                blank=True,
                help_text="The second factor it was proved with; it may be gone since.",
                null=True,
            ),
        ),
        walled("accounts_breakglass"),
        definer_function("accounts_asks_factor(uuid, text[])", ASKS_FACTOR),
    ]
