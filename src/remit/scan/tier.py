"""Which permissions give a tenant, an organisation or a cluster away, and which scopes write. Pure data.

Sources: Microsoft Graph's permissions reference (those that can give themselves more, or reset who is an
administrator), Google's list of OAuth scopes, Slack's admin scopes, GitHub's pages of OAuth scopes and of the
permissions of apps.
"""

import re
from typing import Final

from remit.scan import entra

GRAPH: Final = frozenset(
    {
        "RoleManagement.ReadWrite.Directory", "AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All",
        "Directory.ReadWrite.All", "Directory.AccessAsUser.All", "Domain.ReadWrite.All", "Group.ReadWrite.All",
        "GroupMember.ReadWrite.All", "RoleAssignmentSchedule.ReadWrite.Directory",
        "RoleEligibilitySchedule.ReadWrite.Directory", "PrivilegedAccess.ReadWrite.AzureAD",
        "PrivilegedAccess.ReadWrite.AzureADGroup", "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
        "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup", "RoleManagementPolicy.ReadWrite.Directory",
        "RoleManagementPolicy.ReadWrite.AzureADGroup", "UserAuthenticationMethod.ReadWrite.All",
        "Policy.ReadWrite.ConditionalAccess", "Policy.ReadWrite.AuthenticationMethod",
        "Policy.ReadWrite.PermissionGrant", "DelegatedPermissionGrant.ReadWrite.All", "Organization.ReadWrite.All",
        "User.ReadWrite.All", "User.EnableDisableAccount.All", "User-PasswordProfile.ReadWrite.All",
        "EntitlementManagement.ReadWrite.All", "AdministrativeUnit.ReadWrite.All", "Sites.FullControl.All",
        "Exchange.ManageAsApp", "full_access_as_app", "DeviceManagementConfiguration.ReadWrite.All",
        "DeviceManagementRBAC.ReadWrite.All", "Synchronization.ReadWrite.All", "Application.ReadWrite.OwnedBy",
        "CustomSecAttributeAssignment.ReadWrite.All", "AgentIdentityBlueprint.ReadWrite.All",
        "MultiTenantOrganization.ReadWrite.All", "Policy.ReadWrite.Authorization", "Policy.ReadWrite.SecurityDefaults",
        "Policy.ReadWrite.CrossTenantAccess", "Policy.ReadWrite.AuthenticationFlows",
        "RoleManagement.ReadWrite.Exchange",
        "PublicKeyInfrastructure.ReadWrite.All", "OnPremDirectorySynchronization.ReadWrite.All",
        "IdentityProvider.ReadWrite.All", "User.ManageIdentities.All", "UserAuthMethod-TAP.ReadWrite.All",
        "UserAuthMethod-Passkey.ReadWrite.All", "UserAuthMethod-Password.ReadWrite.All",
        "AgentIdentityBlueprintPrincipal.ReadWrite.All", "AgentIdentity.ReadWrite.All",
    }
)  # fmt: skip
GRAPH_IDS: Final = entra.GRAPH_IDS
ROLE_IDS: Final = entra.ROLE_IDS
_GOOGLE: Final = re.compile(
    r"^(?:https://www\.googleapis\.com/auth/)?(?:admin\.directory\.(?:user|group|group\.member|rolemanagement"
    r"|orgunit|domain|customer"
    r"|user\.security|userschema|device\.\w+)|apps\.groups\.settings\.admin|admin\.datatransfer|ediscovery"
    r"|cloud-identity\.(?:groups|policies)|cloud-platform|apps\.licensing|chat\.admin\.\w+)$"
)
_NOT_WHOLE: Final = frozenset({"cloud-platform"})
"""What is wide only where a person gives it: on a machine the account's roles are its limit."""
_SLACK: Final = re.compile(r"^admin$|^admin\.[\w.]+:write$|^scim(?::write)?$")
_GITHUB_SCOPES: Final = frozenset(
    {"admin:org", "admin:enterprise", "site_admin", "manage_runners:enterprise", "scim:enterprise", "okta.roles.manage",
     "okta.apiTokens.manage", "okta.appGrants.manage", "okta.clients.manage", "sudo", "admin_mode"}
)  # fmt: skip
_GITHUB_APPS: Final = frozenset(
    {
        "organization_administration", "members", "organization_custom_roles", "organization_custom_org_roles",
        "enterprise_administration", "organization_personal_access_tokens",
        "organization_personal_access_token_requests",
        "enterprise_organizations", "enterprise_organization_installations", "enterprise_custom_org_roles",
        "enterprise_sso", "enterprise_scim", "enterprise_people",
    }
)  # fmt: skip
ROLES: Final = entra.ROLES | {
    "super admin", "super administrator", "_seed_admin_role", "org owner", "organization owner", "workspace owner",
    "super administrator - all privileges", "primary owner", "org_owner", "enterprise owner", "super_admin",
    "organization administrator", "organisation owner", "account owner", "accountadmin", "orgadmin",
}  # fmt: skip
_AWS: Final = re.compile(
    r"^(?:arn:(?:aws[\w-]*|\$\{[^{}]*\}):iam::aws:policy/|(?:\w+\.)*ManagedPolicy\.)?"
    r"(?:AdministratorAccess|IAMFullAccess|AWSOrganizationsFullAccess|AWSSSOMasterAccountAdministrator"
    r"|AWSSSOMemberAccountAdministrator|ADMINISTRATOR_ACCESS|IAM_FULL_ACCESS)$"
)
_GCP: Final = frozenset(
    {
        "roles/owner", "roles/resourcemanager.organizationAdmin", "roles/iam.organizationRoleAdmin",
        "roles/iam.securityAdmin", "roles/container.admin",
        "roles/resourcemanager.projectIamAdmin", "roles/resourcemanager.folderAdmin",
        "roles/resourcemanager.folderIamAdmin", "roles/iam.admin", "roles/orgpolicy.policyAdmin",
    }
)  # fmt: skip


def scope(text: str, *, person: bool = True) -> bool:
    """Say whether an OAuth scope or a permission of an app is of that class. `person`: a person's app asks for it."""
    bare = re.sub(r"^https://(?:graph\.microsoft\.com|outlook\.office365\.com)/", "", text)
    google = bool(_GOOGLE.match(bare)) and (person or bare.rpartition("/")[2] not in _NOT_WHOLE)
    return bare in GRAPH or google or bool(_SLACK.match(bare)) or bare in _GITHUB_SCOPES or bare in GRAPH_IDS


def app(name: str, level: str, *, everywhere: bool) -> bool:
    """Say whether a permission of a GitHub App is: one over the organisation, or the rule of every repository."""
    return (name in _GITHUB_APPS and level in ("write", "admin")) or (
        name == "administration" and level == "write" and everywhere
    )


def aws(policy: str) -> bool:
    """Say whether a managed policy of AWS is."""
    return bool(_AWS.match(policy))


def gcp(role: str) -> bool:
    """Say whether a role of Google Cloud is, where it is given on a project, a folder or the organisation."""
    return role in _GCP


_GOOGLE_READS: Final = frozenset(
    {
        "drive", "drive.file", "drive.metadata", "calendar", "calendar.events", "spreadsheets", "documents",
        "presentations",
        "contacts", "tasks", "gmail.modify", "gmail.compose", "gmail.send", "gmail.insert", "gmail.settings.basic",
        "cloud-platform", "devstorage.full_control", "devstorage.read_write", "bigquery", "admin.directory.user",
        "admin.directory.group", "admin.directory.group.member", "admin.directory.orgunit",
        "admin.directory.rolemanagement",
        "admin.directory.domain", "admin.directory.customer", "forms.body", "script.projects", "chat.spaces",
        "chat.messages",
        "datastore", "youtube", "classroom.courses", "classroom.rosters", "directory.readonly.write",
        "meetings.space.created", "webmasters", "analytics", "analytics.edit", "photoslibrary", "youtube.force-ssl",
        "youtubepartner", "blogger", "keep", "adsense", "compute", "cloud-billing", "siteverification",
        "drive.activity", "drive.labels", "drive.admin.labels", "calendar.acls",
        "calendar.calendars", "calendar.calendarlist", "calendar.events.owned", "calendar.app.created",
        "chat.memberships", "chat.messages.reactions", "script.deployments", "tagmanager.edit.containers",
        "classroom.announcements", "classroom.coursework.me", "classroom.coursework.students", "classroom.topics",
        "admin.directory.resource.calendar", "admin.directory.userschema", "admin.directory.device.chromeos",
        "admin.directory.device.mobile", "gmail.labels", "gmail.settings.sharing", "logging.admin", "monitoring",
    }
)  # fmt: skip


_OTHERS: Final = frozenset({"api", "write_repository", "write_registry", "delete_repo"})
"""Scopes of GitLab and GitHub that write, beside narrower ones that read."""


def writes(text: str) -> bool:
    """Say whether a scope lets its holder write, and its service has a narrower one that only reads."""
    bare = re.sub(r"^https://(?:www\.googleapis\.com/auth/|graph\.microsoft\.com/)", "", text.strip())
    if bare == "https://mail.google.com/" or bare in _GOOGLE_READS:
        return True
    if re.match(r"^[A-Z]\w+(?:-\w+)?\.", bare):
        return bool(re.search(r"\.(?:ReadWrite|Send|FullControl|Manage|Write|AccessAsUser)(?:\.|$)", bare))
    if re.match(r"^[a-z][\w.]*:", bare):
        return bare.endswith((":write", ":write.public", ":write.customize")) or bare.startswith(
            ("admin:", "write:", "delete:")
        )
    if bare in _OTHERS or re.search(r"[._](?:write|manage|modify|readwrite)$", bare):
        return True
    return bool(re.match(r"^[\w-]+=(?:write|admin|maintain)$", bare))
