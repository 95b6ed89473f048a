package commandapi

import "waybill/aggregates/access"

// needs returns the permissions that a command needs, by the name of its route.
// Together with [access.Defaults] it is the table of role x command; a test tries
// every cell. A command that is not in it is open to whoever sees what it is
// about, or proves in another way that it is theirs.
func needs(name string) access.Set {
	switch name {
	case "addUser", "setPermissions", "grantGroupAccess", "revokeGroupAccess", "blockUser", "unblockUser",
		"changeRole", "replaceGroups", "revokeAllGroupsAccess", "requestGroupAccess", "approveGroupAccess",
		"denyGroupAccess", "recordAccessReview", "removeUser", "resendInvitation", "revokeInvitation":
		return access.SetOf(access.ManageUsers)
	case "grantAllGroupsAccess":
		return access.SetOf(access.ManageUsers, access.GrantAllAccess)
	case "createGroup", "renameGroup", "archiveGroup", "restoreGroup", "mergeGroup", "setGroupImportTemplate",
		"mapCustomerCode", "unmapCustomerCode", "setGroupField", "setTimezone", "setImportTemplate":
		return access.SetOf(access.ManageGroups)
	case "registerVehicle", "removeVehicle", "addVehicleToGroup", "removeVehicleFromGroup", "recordPositions":
		return access.SetOf(access.ManageVehicles)
	case "addClient", "reinstateClient", "removeClient", "updateClientDetails", "linkClientGroup", "createClientAccount",
		"assignDispatcher", "unassignDispatcher", "inviteClient", "resendClientInvitation", "revokeClientInvitation":
		return access.SetOf(access.ManageClients)
	case "createDelivery", "importDeliveries", "tagDelivery", "untagDelivery", "changeDelivery", "reattempt":
		return access.SetOf(access.CreateDeliveries)
	case "deleteDelivery":
		return access.SetOf(access.DeleteDeliveries)
	case "assignVehicle", "unassignVehicle":
		return access.SetOf(access.AssignVehicles)
	case "dispatch", "complete", "fail", "completePartially", "correctOutcome", "reviseEta", "receiveGoods",
		"startHeading", "arrive", "hold", "release", "returnDelivery", "cancel":
		return access.SetOf(access.UpdateStatus)
	}
	return 0
}
