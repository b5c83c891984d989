"""Registered programs of others (OAuth 2, OpenID Connect), what people allowed them, and RSA keys for ID tokens."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import apps.core.ids
from apps.core.migrations_support import composite_key, definer_function, tenant_key, walled

# They answer ids only, before the organization of a program or of a typed code is known.
FIND_CLIENT = """
CREATE OR REPLACE FUNCTION accounts_find_client(p_client uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT c.organization_id FROM accounts_oauthclient c WHERE c.id = p_client
$$
"""

FIND_DEVICE = """
CREATE OR REPLACE FUNCTION accounts_find_device(p_hash bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT d.organization_id FROM accounts_oauthdevice d WHERE d.user_code_hash = p_hash
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_access"),
    ]

    operations = [
        migrations.CreateModel(
            name="OAuthCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("hash", models.BinaryField(max_length=32, unique=True)),
                ("redirect_uri", models.CharField(max_length=500)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None
                    ),
                ),
                ("challenge", models.CharField(editable=False, help_text="PKCE, S256.", max_length=43)),
                ("nonce", models.CharField(blank=True, default="", editable=False, max_length=255)),
                ("signed_in_at", models.DateTimeField()),
                (
                    "methods",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10), default=list, size=None
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "family_id",
                    models.UUIDField(blank=True, help_text="The tokens it was exchanged for.", null=True),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OAuthConsent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None
                    ),
                ),
                ("given_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="OAuthDevice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("hash", models.BinaryField(max_length=32, unique=True)),
                ("user_code_hash", models.BinaryField(max_length=32, unique=True)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None
                    ),
                ),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
                ("expires_at", models.DateTimeField()),
                ("interval_seconds", models.PositiveSmallIntegerField()),
                ("polled_at", models.DateTimeField(blank=True, null=True)),
                ("signed_in_at", models.DateTimeField(blank=True, null=True)),
                (
                    "methods",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10), default=list, size=None
                    ),
                ),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("denied_at", models.DateTimeField(blank=True, null=True)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name="signingkey",
            name="algorithm",
            field=models.CharField(
                choices=[("EdDSA", "Eddsa"), ("RS256", "Rs256")], default="EdDSA", max_length=5
            ),
        ),
        migrations.AlterField(
            model_name="signingkey",
            name="public_key",
            field=models.BinaryField(help_text="32 bytes, or the DER of an RSA key.", max_length=600),
        ),
        migrations.CreateModel(
            name="OAuthClient",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=80)),
                (
                    "kind",
                    models.CharField(
                        choices=[("confidential", "Confidential"), ("public", "Public")], max_length=12
                    ),
                ),
                (
                    "redirect_uris",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=500), blank=True, default=list, size=None
                    ),
                ),
                (
                    "grants",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), size=None
                    ),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None
                    ),
                ),
                (
                    "id_token_algorithm",
                    models.CharField(
                        choices=[("RS256", "Rs256"), ("EdDSA", "Eddsa")],
                        default="RS256",
                        help_text="What signs its ID tokens.",
                        max_length=5,
                    ),
                ),
                (
                    "secret_prefix",
                    models.CharField(
                        blank=True, default="", help_text="Shown, to recognise it.", max_length=11
                    ),
                ),
                ("secret_hash", models.BinaryField(max_length=32, null=True)),
                ("previous_hash", models.BinaryField(max_length=32, null=True)),
                (
                    "previous_until",
                    models.DateTimeField(
                        blank=True, help_text="The replaced secret works until then.", null=True
                    ),
                ),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        blank=True,
                        help_text="The service account it acts as without a person.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="tokenfamily",
            name="client",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="The registered program that was let in; empty for a sign-in by password.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.oauthclient",
            ),
        ),
        migrations.AddIndex(
            model_name="tokenfamily",
            index=models.Index(
                condition=models.Q(("client__isnull", False)),
                fields=["organization", "client", "principal"],
                name="accounts_tokenfamily_client",
            ),
        ),
        migrations.AddField(
            model_name="oauthcode",
            name="client",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.oauthclient",
            ),
        ),
        migrations.AddField(
            model_name="oauthcode",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="oauthcode",
            name="principal",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="oauthconsent",
            name="client",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.oauthclient",
            ),
        ),
        migrations.AddField(
            model_name="oauthconsent",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="oauthconsent",
            name="principal",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="oauthdevice",
            name="client",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.oauthclient",
            ),
        ),
        migrations.AddField(
            model_name="oauthdevice",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="oauthdevice",
            name="principal",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="oauthclient",
            index=models.Index(fields=["organization", "name"], name="accounts_oauthclient_name"),
        ),
        migrations.AddIndex(
            model_name="oauthcode",
            index=models.Index(
                fields=["organization", "client", "principal"], name="accounts_oauthcode_client"
            ),
        ),
        migrations.AddConstraint(
            model_name="oauthconsent",
            constraint=models.UniqueConstraint(
                fields=("organization", "principal", "client"), name="accounts_oauthconsent_once"
            ),
        ),
        migrations.AddIndex(
            model_name="oauthdevice",
            index=models.Index(
                fields=["organization", "client", "principal"], name="accounts_oauthdevice_client"
            ),
        ),
        tenant_key("accounts_oauthclient"),
        composite_key("accounts_tokenfamily", "client_id", "accounts_oauthclient"),
        composite_key("accounts_oauthconsent", "client_id", "accounts_oauthclient"),
        composite_key("accounts_oauthcode", "client_id", "accounts_oauthclient"),
        composite_key("accounts_oauthdevice", "client_id", "accounts_oauthclient"),
        walled("accounts_oauthclient"),
        walled("accounts_oauthconsent"),
        walled("accounts_oauthcode"),
        walled("accounts_oauthdevice"),
        definer_function("accounts_find_client(uuid)", FIND_CLIENT),
        definer_function("accounts_find_device(bytea)", FIND_DEVICE),
    ]
