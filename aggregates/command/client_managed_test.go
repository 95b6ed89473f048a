package command_test

import (
	"iter"
	"slices"
	"testing"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/importing"
	"waybill/events"
	"waybill/events/fault"
)

// work is everything that somebody of the organisation can do in the group of a
// client, each once more with every call.
func (c *cherry) work(there, elsewhere, vehicle, user uuid.UUID, source func() uuid.UUID) map[string]func() error {
	number := func() string { return uuid.NewString() }
	address := "2 Long Street"
	return map[string]func() error{
		"create": func() error {
			_, err := c.s.CreateDelivery(c.ctx, c.owner, env(), command.CreateDelivery{DONumber: number(), Date: "2026-03-02", Group: c.group})
			return err
		},
		"tag": func() error {
			_, err := c.s.TagDelivery(c.ctx, c.owner, env(), command.TagDelivery{Delivery: elsewhere, Group: c.group})
			return err
		},
		"untag": func() error { _, err := c.s.UntagDelivery(c.ctx, c.owner, env(), there); return err },
		"dispatch": func() error {
			_, err := c.s.Dispatch(c.ctx, c.owner, env(), command.Dispatch{Delivery: there})
			return err
		},
		"change": func() error {
			_, err := c.s.ChangeDelivery(c.ctx, c.owner, env(), command.ChangeDelivery{Delivery: there, Address: &address})
			return err
		},
		"assign": func() error {
			_, err := c.s.AssignVehicle(c.ctx, c.owner, env(), command.AssignVehicle{Delivery: there, Vehicle: vehicle})
			return err
		},
		"delete": func() error { _, err := c.s.DeleteDelivery(c.ctx, c.owner, env(), there); return err },
		"rename": func() error {
			_, err := c.s.RenameGroup(c.ctx, c.owner, env(), command.RenameGroup{Group: c.group, Name: number()})
			return err
		},
		"template": func() error {
			_, err := c.s.SetImportTemplate(c.ctx, c.owner, env(), command.SetImportTemplate{Group: c.group, Template: events.ImportTemplate{DateFormat: "DMY", Columns: map[string]string{"number": number()}}})
			return err
		},
		"map a code": func() error {
			_, err := c.s.MapCustomerCode(c.ctx, c.owner, env(), command.MapCustomerCode{Code: number(), Group: c.group})
			return err
		},
		"add a vehicle": func() error {
			_, err := c.s.AddVehicleToGroup(c.ctx, c.owner, env(), command.AddVehicleToGroup{Vehicle: vehicle, Group: c.group})
			return err
		},
		"merge into": func() error {
			_, err := c.s.MergeGroup(c.ctx, c.owner, env(), command.MergeGroup{Group: source(), Into: c.group, AcknowledgeWidening: true})
			return err
		},
		"preview of a merge": func() error {
			_, err := c.s.PreviewMerge(c.ctx, c.owner, command.MergeGroup{Group: source(), Into: c.group})
			return err
		},
		"grant": func() error {
			_, err := c.s.GrantGroupAccess(c.ctx, c.owner, env(), command.GrantGroupAccess{User: user, Group: c.group})
			return err
		},
		"replace groups": func() error {
			_, err := c.s.ReplaceGroups(c.ctx, c.owner, env(), command.ReplaceGroups{User: user, Groups: []uuid.UUID{c.group}})
			return err
		},
		"request": func() error {
			_, err := c.s.RequestGroupAccess(c.ctx, c.owner, because("to help"), command.RequestGroupAccess{User: user, Group: c.group})
			return err
		},
		"add a user": func() error {
			_, err := c.s.AddUser(c.ctx, c.owner, env(), command.AddUser{Name: "New", Email: number() + "@example.com", Role: access.RoleCSO, Groups: []uuid.UUID{c.group}})
			return err
		},
	}
}

// one is a file of one delivery with a customer code.
func one(code string) iter.Seq2[importing.Draft, error] {
	return func(yield func(importing.Draft, error) bool) {
		yield(importing.Draft{Rows: []int{2}, DONumber: uuid.NewString(), Type: events.TypeDelivery, Date: "2026-03-02", Code: code}, nil)
	}
}

func TestWithdrawnOrRemovedTheClientsGroupIsNotManaged(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		end, back func(c *cherry, carl access.Caller) error
		archived  bool // may it be archived?
	}{
		"withdrawn": {
			func(c *cherry, carl access.Caller) error {
				_, err := c.s.WithdrawClientApproval(c.ctx, carl, env(), c.id)
				return err
			},
			func(c *cherry, carl access.Caller) error {
				_, err := c.s.GrantClientApproval(c.ctx, carl, env(), c.id)
				return err
			},
			false,
		},
		"kept by the client": {
			func(c *cherry, _ access.Caller) error {
				_, err := c.s.RemoveClient(c.ctx, c.owner, env(), command.RemoveClient{Client: c.id, Fate: events.FateKeptByClient})
				return err
			},
			func(c *cherry, _ access.Caller) error {
				_, err := c.s.ReinstateClient(c.ctx, c.owner, env(), c.id)
				return err
			},
			false,
		},
		"ended": {
			func(c *cherry, _ access.Caller) error {
				_, err := c.s.RemoveClient(c.ctx, c.owner, env(), command.RemoveClient{Client: c.id, Fate: events.FateEnded})
				return err
			},
			func(c *cherry, _ access.Caller) error {
				_, err := c.s.ReinstateClient(c.ctx, c.owner, env(), c.id)
				return err
			},
			true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCherry(t)
			made := c.onBehalf()
			carl := c.customer(made.User)
			vehicle, err := c.s.RegisterVehicle(c.ctx, c.owner, env(), command.RegisterVehicle{Name: "van_1", Plate: "AB12 CDE"})
			c.must(err)
			other := c.bundle.group("Other")
			user := c.user(access.RoleCSO, "staff@example.com", other).ID
			there, elsewhere := c.delivery("D1", c.group), c.delivery("D2", uuid.Nil)
			_, err = c.s.MapCustomerCode(c.ctx, c.owner, env(), command.MapCustomerCode{Code: "CHR", Group: c.group})
			c.must(err)
			_, err = c.s.AddVehicleToGroup(c.ctx, c.owner, env(), command.AddVehicleToGroup{Vehicle: vehicle.ID, Group: c.group})
			c.must(err)
			spare, err := c.s.RegisterVehicle(c.ctx, c.owner, env(), command.RegisterVehicle{Name: "van_2", Plate: "AB13 CDE"})
			c.must(err)
			work := c.work(there, elsewhere, spare.ID, user, func() uuid.UUID { return c.bundle.group(uuid.NewString()) })

			c.must(tc.end(c, carl))
			before := len(c.records(events.CategoryGroup, c.group))
			for verb, do := range work {
				if err := do(); !isConflict(err, "client-not-managed") {
					t.Errorf("%s: %v, want it refused", verb, err)
				}
			}
			report, err := c.s.ImportDeliveries(c.ctx, c.owner, env(), command.ImportDeliveries{Drafts: one("CHR")})
			if err != nil || report.Rejected != 1 {
				t.Errorf("import: %+v, %v; want the row rejected", report, err)
			}
			report, err = c.s.ImportDeliveries(c.ctx, c.owner, env(), command.ImportDeliveries{Drafts: one("Cherry"), CreateGroups: true})
			if err != nil || report.Rejected != 1 {
				t.Errorf("import of a code named like the group: %+v, %v; want the row rejected", report, err)
			}
			if after := len(c.records(events.CategoryGroup, c.group)); after != before {
				t.Errorf("the group's stream got %v", c.types(events.CategoryGroup, c.group)[before:])
			}
			if got := c.types(events.CategoryUser, made.User); slices.Contains(got, "GroupAccessRevoked") != tc.archived {
				t.Errorf("of the client's own sight became %v", got)
			}

			// What only takes away goes on.
			_, err = c.s.UnmapCustomerCode(c.ctx, c.owner, env(), "CHR")
			c.must(err)
			_, err = c.s.RemoveVehicleFromGroup(c.ctx, c.owner, env(), command.RemoveVehicleFromGroup{Vehicle: vehicle.ID, Group: c.group})
			c.must(err)
			_, err = c.s.RevokeGroupAccess(c.ctx, c.owner, env(), command.RevokeGroupAccess{User: c.dana, Group: c.group})
			c.must(err)
			// Archiving would take it from the client's people, if they keep it.
			_, preview := c.s.PreviewArchive(c.ctx, c.owner, because("over"), c.group)
			_, err = c.s.ArchiveGroup(c.ctx, c.owner, because("over"), c.group)
			if tc.archived {
				c.must(preview)
				c.must(err)
				wantCode(t, tc.back(c, carl), fault.Conflict, "group-archived")
				_, err = c.s.RestoreGroup(c.ctx, c.owner, env(), c.group)
				c.must(err)
			} else {
				wantCode(t, preview, fault.Conflict, "client-not-managed")
				wantCode(t, err, fault.Conflict, "client-not-managed")
			}

			c.must(tc.back(c, carl))
			for _, verb := range []string{"create", "rename", "map a code", "add a vehicle", "grant", "dispatch"} {
				if err := work[verb](); err != nil {
					t.Errorf("%s, managed again: %v", verb, err)
				}
			}
		})
	}
}
