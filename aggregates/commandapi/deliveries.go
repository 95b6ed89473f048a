package commandapi

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
	"waybill/events"
)

// NewDelivery asks for a delivery.
type NewDelivery struct {
	Said      `json:",inline"`
	DONumber  string    `json:"do_number"`
	Type      string    `json:"type,omitzero" enum:"delivery,collection" doc:"Delivery when not given."`
	Date      string    `json:"date" doc:"A day of the organisation, such as 2026-03-31."`
	Group     uuid.UUID `json:"group,omitzero" doc:"Absent: none, or the only one that the caller sees."`
	Address   string    `json:"address,omitzero"`
	Recipient string    `json:"recipient,omitzero"`
	Phone     string    `json:"phone,omitzero"`
	Email     string    `json:"email,omitzero"`
	Items     []NewItem `json:"items,omitempty"`
	Vehicle   uuid.UUID `json:"vehicle,omitzero"`
}

// NewItem is one line of a delivery.
type NewItem struct {
	ID          string   `json:"id,omitzero" doc:"Its number, from 1, when absent."`
	SKU         string   `json:"sku,omitzero"`
	Description string   `json:"description,omitzero"`
	Quantity    Quantity `json:"quantity"`
	Unit        string   `json:"unit,omitzero"`
}

// TagTarget is the group that a delivery goes to.
type TagTarget struct {
	Said  `json:",inline"`
	Group uuid.UUID `json:"group"`
}

// VehicleTarget is the vehicle that a delivery goes on.
type VehicleTarget struct {
	Said    `json:",inline"`
	Vehicle uuid.UUID `json:"vehicle"`
}

// Occurred says when something happened, if that is known.
type Occurred struct {
	Said       `json:",inline"`
	OccurredAt time.Time `json:"occurred_at,omitzero"`
}

// Completion says that everything was handed over.
type Completion struct {
	Occurred `json:",inline"`
	Proof    []events.Proof `json:"proof,omitempty" doc:"References with the SHA-256 of what they point to."`
}

func (a *api) deliveryRoutes() []route.Route {
	commands := a.cfg.Commands
	return []route.Route{
		on(a, spec{method: http.MethodPost, path: "/v1/deliveries", name: "createDelivery", verb: "delivery create", needs: access.SetOf(access.CreateDeliveries),
			example: NewDelivery{DONumber: "DO-1", Date: "2026-03-31", Group: route.Sample("group"), Address: "4 Mill Lane",
				Items: []NewItem{{Description: "Apples", Quantity: 12}}}, summary: "Create a delivery.", created: true},
			func(ctx context.Context, c call, in NewDelivery) (outcome, error) {
				out, err := commands.CreateDelivery(ctx, c.caller, c.env, in.command())
				return outcome{answer: made(out), position: out.Position, location: "/v1/deliveries/" + out.ID.String()}, err
			}),
		onDelivery(a, spec{path: "tag", name: "tagDelivery", verb: "delivery tag", args: "group", needs: access.SetOf(access.CreateDeliveries),
			example: TagTarget{Group: route.Sample("group")}, summary: "Move a delivery to a group.", widens: true},
			func(ctx context.Context, c call, id uuid.UUID, in TagTarget) (outcome, error) {
				return plain(commands.TagDelivery(ctx, c.caller, c.env, command.TagDelivery{Delivery: id, Group: in.Group}))
			}),
		onID(a, spec{method: http.MethodPost, path: "/v1/deliveries/{id}/untag", name: "untagDelivery", verb: "delivery untag", needs: access.SetOf(access.CreateDeliveries), summary: "Take a delivery out of its group.", bodyless: true, widens: true},
			commands.UntagDelivery),
		onDelivery(a, spec{path: "assign", name: "assignVehicle", verb: "delivery assign", args: "vehicle", needs: access.SetOf(access.AssignVehicles),
			example: VehicleTarget{Vehicle: route.Sample("vehicle")}, summary: "Put a delivery on a vehicle."},
			func(ctx context.Context, c call, id uuid.UUID, in VehicleTarget) (outcome, error) {
				return plain(commands.AssignVehicle(ctx, c.caller, c.env, command.AssignVehicle{Delivery: id, Vehicle: in.Vehicle}))
			}),
		onDelivery(a, spec{path: "dispatch", name: "dispatch", verb: "delivery dispatch", needs: access.SetOf(access.UpdateStatus), summary: "Give a delivery out to be delivered.", bodyless: true},
			func(ctx context.Context, c call, id uuid.UUID, in Occurred) (outcome, error) {
				return plain(commands.Dispatch(ctx, c.caller, c.env, command.Dispatch{Delivery: id, OccurredAt: in.OccurredAt}))
			}),
		onDelivery(a, spec{path: "complete", name: "complete", verb: "delivery complete", needs: access.SetOf(access.UpdateStatus),
			example: Completion{Occurred: Occurred{OccurredAt: sampleTime()}}, summary: "Everything was handed over.", bodyless: true},
			func(ctx context.Context, c call, id uuid.UUID, in Completion) (outcome, error) {
				return plain(commands.Complete(ctx, c.caller, c.env, command.Complete{Delivery: id, OccurredAt: in.OccurredAt, Proof: in.Proof}))
			}),
		onDelivery(a, spec{path: "fail", name: "fail", verb: "delivery fail", needs: access.SetOf(access.UpdateStatus),
			example: Occurred{Said: Said{Reason: "Nobody at home"}}, summary: "Nothing was handed over; the reason is required."},
			func(ctx context.Context, c call, id uuid.UUID, in Occurred) (outcome, error) {
				return plain(commands.Fail(ctx, c.caller, c.env, command.Fail{Delivery: id, OccurredAt: in.OccurredAt}))
			}),
	}
}

// onDelivery makes the route of a command on one delivery; the path of its spec
// is the verb.
func onDelivery[In sayer](a *api, s spec, run func(ctx context.Context, c call, id uuid.UUID, in In) (outcome, error)) route.Route {
	s.method, s.path = http.MethodPost, "/v1/deliveries/{id}/"+s.path
	return on(a, s, func(ctx context.Context, c call, in In) (outcome, error) {
		id, err := c.id("id")
		if err != nil {
			return outcome{}, err
		}
		return run(ctx, c, id, in)
	})
}

func (d NewDelivery) command() command.CreateDelivery {
	out := command.CreateDelivery{DONumber: d.DONumber, Type: d.Type, Date: d.Date, Group: d.Group, Address: d.Address,
		Recipient: d.Recipient, Phone: d.Phone, Email: d.Email, Vehicle: d.Vehicle}
	out.Items = itemsOf(d.Items)
	return out
}
