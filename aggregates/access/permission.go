package access

import "waybill/events"

// Permission is one switch that decides whether a user may use a kind of verb.
// Which rows the verb reaches is decided by groups, never by permissions.
type Permission uint8

// The permissions. Their names (see [Permission.String]) are what events,
// requests and answers hold.
const (
	ExportDeliveries Permission = iota
	UpdateStatus                // every move of a delivery, its outcome and its ETA
	CreateDeliveries            // create, import, change, attempt again, tag and untag
	DeleteDeliveries
	AssignVehicles
	ViewVehicles // off hides vehicles always
	ManageVehicles
	ManageUsers
	ManageGroups // groups, customer codes, the settings of the organisation
	ManageClients
	GrantAllAccess // give the scope ALL, at creation or later
	ViewAudit
	ManageWebhooks
	permissionCount
)

var permissionNames = [permissionCount]string{
	"export_deliveries", "update_status", "create_deliveries", "delete_deliveries", "assign_vehicles", "view_vehicles",
	"manage_vehicles", "manage_users", "manage_groups", "manage_clients", "grant_all_access", "view_audit", "manage_webhooks",
}

// String returns the permission's name, such as "manage_users".
func (p Permission) String() string {
	if p >= permissionCount {
		return "unknown"
	}
	return permissionNames[p]
}

// ParsePermission finds a permission by its name.
func ParsePermission(name string) (Permission, bool) {
	for p, n := range permissionNames {
		if n == name {
			return Permission(p), true
		}
	}
	return 0, false
}

// Set is a set of permissions. The zero value is empty.
type Set uint32

// SetOf returns the set of the given permissions.
func SetOf(ps ...Permission) Set {
	var s Set
	for _, p := range ps {
		s |= 1 << p
	}
	return s
}

// Has reports whether p is in the set.
func (s Set) Has(p Permission) bool { return s&(1<<p) != 0 }

// Holds reports whether every permission of other is in the set.
func (s Set) Holds(other Set) bool { return other&^s == 0 }

// Without returns the permissions of s that are not in other.
func (s Set) Without(other Set) Set { return s &^ other }

// Names returns the names of the permissions in the set, in a fixed order;
// never nil.
func (s Set) Names() []string {
	names := []string{}
	for p := range permissionCount {
		if s.Has(p) {
			names = append(names, p.String())
		}
	}
	return names
}

// Everything is the set of all permissions.
const Everything Set = 1<<permissionCount - 1

// The roles of a user.
const (
	RoleOwner      = "owner"
	RoleSuperAdmin = "super_admin"
	RoleManager    = "manager"
	RoleDispatcher = "dispatcher"
	RoleCSO        = "cso" // customer service officer
	RoleCustomer   = "customer"
	RoleAuditor    = "auditor" // read-only, sees the audit
)

// Roles returns all roles, those who may do most first.
func Roles() []string {
	return []string{RoleOwner, RoleSuperAdmin, RoleManager, RoleDispatcher, RoleCSO, RoleAuditor, RoleCustomer}
}

// Defaults returns what a role may do when no switch says otherwise, and
// whether the role exists. This is the one table of role x permission.
func Defaults(role string) (Set, bool) {
	switch role {
	case RoleOwner, RoleSuperAdmin:
		return Everything, true
	case RoleManager:
		return SetOf(ExportDeliveries, UpdateStatus, CreateDeliveries, DeleteDeliveries, AssignVehicles, ViewVehicles,
			ManageVehicles, ManageUsers, ManageGroups, ManageClients), true
	case RoleDispatcher:
		return SetOf(ExportDeliveries, UpdateStatus, CreateDeliveries, AssignVehicles, ViewVehicles), true
	case RoleCSO:
		return SetOf(ExportDeliveries, UpdateStatus, CreateDeliveries, ViewVehicles), true
	case RoleCustomer: // sees a vehicle only once it is added to its group
		return SetOf(ExportDeliveries, ViewVehicles), true
	case RoleAuditor:
		return SetOf(ExportDeliveries, ViewVehicles, ViewAudit), true
	default:
		return 0, false
	}
}

// HoldsAll reports whether a role always comes with the scope ALL, so that
// groups are neither needed nor possible.
func HoldsAll(role string) bool { return role == RoleOwner || role == RoleSuperAdmin }

// Effective returns what a user of a role may do given its explicit switches. A
// switch that this program does not know changes nothing.
func Effective(role string, switches events.Permissions) Set {
	s, _ := Defaults(role)
	for name, on := range switches {
		p, ok := ParsePermission(name)
		switch {
		case !ok:
		case on:
			s |= 1 << p
		default:
			s &^= 1 << p
		}
	}
	return s
}
