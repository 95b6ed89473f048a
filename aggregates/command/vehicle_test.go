package command_test

import (
	"testing"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events/fault"
)

func TestAVehicleThatLeftTheRegisterIsInNoGroupAnyMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	apple := b.group("Apple")
	van, err := b.s.RegisterVehicle(b.ctx, b.owner, env(), command.RegisterVehicle{Name: "Van", Plate: "SGX 1"})
	b.must(err)
	_, err = b.s.AddVehicleToGroup(b.ctx, b.owner, env(), command.AddVehicleToGroup{Vehicle: van.ID, Group: apple})
	b.must(err)
	_, err = b.s.RemoveVehicle(b.ctx, b.owner, env(), van.ID)
	b.must(err)
	for _, who := range []access.Caller{b.owner, b.somebody(access.RoleManager, false, apple)} {
		_, err = b.s.RemoveVehicleFromGroup(b.ctx, who, env(), command.RemoveVehicleFromGroup{Vehicle: van.ID, Group: apple})
		wantCode(t, err, fault.NotFound, "vehicle-not-found")
	}
}
