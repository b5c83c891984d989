"""What accounts keep about people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.accounts.selectors import personal
from apps.accounts.services import erasing
from apps.core.data_subjects import Fate, SubjectData, register_impersonal, register_subject_data

_DELETED = _("Deleted.")

register_subject_data(
    SubjectData(
        name="accounts.access",
        label=_("Ways in"),
        fate=Fate.DELETE,
        why=_("Keys, seats, sessions and sockets end before anything else, so that nothing new is written."),
        order=10,
        count=lambda person: int(personal.seats_of(person).filter(left_at=None).exists()),
        erase=erasing.close_access,
    )
)
register_subject_data(
    SubjectData(
        name="accounts.keys",
        label=_("API keys"),
        fate=Fate.DELETE,
        why=_DELETED,
        order=90,
        links=("accounts_apikey.principal_id",),
        shared=("accounts_apikey.name",),
        count=lambda person: personal.keys_of(person).count(),
        export=personal.export_keys,
        erase=erasing.erase_keys_of,
    )
)
register_subject_data(
    SubjectData(
        name="accounts.tokens",
        label=_("Sign-ins of programs"),
        fate=Fate.DELETE,
        why=_DELETED,
        order=90,
        links=("accounts_tokenfamily.principal_id",),
        shared=("accounts_tokenfamily.name", "accounts_refreshtoken.hash"),
        count=lambda person: personal.token_families_of(person).count(),
        export=personal.export_token_families,
        erase=erasing.erase_tokens_of,
    )
)
register_subject_data(
    SubjectData(
        name="accounts.apps",
        label=_("Apps that were let in"),
        fate=Fate.DELETE,
        why=_DELETED,
        order=90,
        links=(
            "accounts_oauthconsent.principal_id", "accounts_oauthcode.principal_id",
            "accounts_oauthdevice.principal_id", "accounts_oauthclient.service_id",
        ),
        shared=("accounts_oauthclient.name",),
        count=personal.count_consents,
        export=personal.export_consents,
        erase=erasing.erase_consents_of,
    )
)  # fmt: skip
register_subject_data(
    SubjectData(
        name="accounts.seats",
        label=_("Seats in audiences"),
        fate=Fate.DELETE,
        why=_DELETED,
        order=91,
        links=("accounts_seat.principal_id",),
        count=lambda person: personal.seats_of(person).count(),
        export=personal.export_seats,
        erase=erasing.erase_seats_of,
    )
)
register_subject_data(
    SubjectData(
        name="accounts.scoped_roles",
        label=_("Roles in single places"),
        fate=Fate.DELETE,
        why=_("Roles of the person are deleted; those it gave lose their giver."),
        order=91,
        links=("accounts_scopedrole.principal_id", "accounts_scopedrole.given_by_id"),
        count=lambda person: personal.scoped_roles_of(person).count(),
        export=personal.export_scoped_roles,
        erase=erasing.erase_scoped_roles_of,
    )
)
register_subject_data(
    SubjectData(
        name="accounts.object_rights",
        label=_("Rights in single places"),
        fate=Fate.DELETE,
        why=_("Rights of the person are deleted; those it gave lose their giver."),
        order=91,
        links=("accounts_objectgrant.user_id", "accounts_objectgrant.given_by_id"),
        shared=("accounts_objectgrant.reason",),
        count=lambda person: personal.object_rights_of(person).count(),
        export=personal.export_object_rights,
        erase=erasing.erase_object_rights_of,
    )
)
register_subject_data(
    SubjectData(
        name="accounts.groups",
        label=_("Groups of people"),
        fate=Fate.DELETE,
        why=_("The person leaves its groups; those it made, and people it took in, lose who did that."),
        order=91,
        links=(
            "accounts_peoplegroupmember.principal_id", "accounts_peoplegroupmember.added_by_id",
            "accounts_peoplegroup.created_by_id",
        ),
        count=lambda person: personal.groups_of(person).count(),
        export=personal.export_groups,
        erase=erasing.erase_groups_of,
    )
)  # fmt: skip
register_subject_data(
    SubjectData(
        name="accounts.view_as",
        label=_("Looks at pages as the person, and by it"),
        fate=Fate.DELETE,
        why=_("The trail keeps that they happened."),
        order=91,
        links=("accounts_viewas.viewer_id", "accounts_viewas.person_id"),
        shared=("accounts_viewas.reason",),
        count=lambda person: personal.looks_of(person).count(),
        export=personal.export_looks,
        erase=erasing.erase_looks_of,
    )
)
register_subject_data(
    SubjectData(
        name="accounts.invitations",
        label=_("Invitations"),
        fate=Fate.DELETE,
        why=_("Invitations to the address are deleted; those the person sent lose their sender."),
        order=92,
        links=("accounts_invitation.invited_by_id",),
        count=personal.count_invitations,
        export=personal.export_invitations,
        erase=erasing.erase_invitations_of,
    )
)
register_subject_data(
    SubjectData(
        name="accounts.member",
        label=_("Profile in the organization"),
        fate=Fate.DELETE,
        why=_DELETED,
        order=95,
        links=("accounts_member.user_id", "accounts_member.id"),
        shared=("accounts_member.name", "accounts_member.title", "accounts_member.about"),
        count=lambda _person: 1,
        export=personal.export_member,
        erase=erasing.erase_member,
    )
)
register_subject_data(
    SubjectData(
        name="accounts.account",
        label=_("Account with e-mail address, sessions, second factors and settings"),
        fate=Fate.DELETE,
        why=_("Deleted where no other organization has a seat for the person; otherwise that one answers for it "
              "too, and it stays."),
        order=97,
        links=(
            "accounts_user.id", "account_emailaddress.user_id", "usersessions_usersession.user_id",
            "mfa_authenticator.user_id", "accounts_secondfactor.user_id",
            "accounts_signinlink.user_id", "accounts_user_groups.user_id", "accounts_user_user_permissions.user_id",
            "guardian_userobjectpermission.user_id",
            "django_admin_log.user_id", "django_session.session_data",
        ),
        shared=("django_admin_log.object_repr", "django_admin_log.change_message"),
        count=personal.count_account,
        export=personal.export_account,
        erase=erasing.erase_account,
    )
)  # fmt: skip
register_subject_data(
    SubjectData(
        name="accounts.emergencies",
        label=_("Emergency accounts"),
        fate=Fate.KEEP,
        why=_("An emergency account is nobody's in particular; when it was used stays, as a proof."),
        order=97,
        links=("accounts_breakglass.user_id",),
        count=personal.count_emergencies,
    )
)
register_impersonal("of the organization", "accounts_organization", "accounts_role", "accounts_scope")
register_impersonal("of django-guardian: stays empty", "guardian_groupobjectpermission")
register_impersonal("of the server: signs for all organizations", "accounts_signingkey")
register_impersonal(
    "codes for an address of `account_emailaddress`, deleted with it", "account_emailconfirmation"
)
