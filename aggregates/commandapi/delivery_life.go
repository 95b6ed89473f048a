package commandapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
	"waybill/events"
)

// DeliveryChange is what to change of a delivery; what is absent stays, and an
// empty text is one that is no longer given.
type DeliveryChange struct {
	Said      `json:",inline"`
	DONumber  *string    `json:"do_number,omitzero"`
	Date      *string    `json:"date,omitzero" doc:"A day of the organisation, such as 2026-03-31."`
	Address   *string    `json:"address,omitzero"`
	Recipient *string    `json:"recipient,omitzero"`
	Phone     *string    `json:"phone,omitzero"`
	Email     *string    `json:"email,omitzero"`
	Items     *[]NewItem `json:"items,omitzero" doc:"All of them, instead of those before."`
}

// Rejected is how much of an item was not taken.
type Rejected struct {
	ID       string   `json:"id" doc:"Of the item."`
	Rejected Quantity `json:"rejected"`
}

// PartialCompletion says that some of the goods were rejected.
type PartialCompletion struct {
	Completion `json:",inline"`
	Items      []Rejected `json:"items" doc:"At least one of which some was rejected."`
}

// Correction is the outcome as it was in truth.
type Correction struct {
	Said  `json:",inline"`
	To    string     `json:"to" enum:"completed,completed_partial,failed"`
	Items []Rejected `json:"items,omitempty" doc:"What was rejected, of a partial completion."`
}

// NewAttempt plans another attempt.
type NewAttempt struct {
	Said `json:",inline"`
	Date string `json:"date" doc:"A day of the organisation, such as 2026-03-31."`
}

// Expected is when a drop is expected.
type Expected struct {
	Said `json:",inline"`
	Eta  time.Time `json:"eta"`
}

func (a *api) deliveryLifeRoutes() []route.Route {
	commands := a.cfg.Commands
	return append(a.deliveryMoveRoutes(),
		on(a, spec{method: http.MethodPatch, path: "/v1/deliveries/{id}", name: "changeDelivery", verb: "delivery change", needs: access.SetOf(access.CreateDeliveries),
			example: DeliveryChange{Address: new("4 Mill Lane")}, summary: "Change the details of a delivery that is still to be made.", matched: true},
			func(ctx context.Context, c call, in DeliveryChange) (outcome, error) {
				id, err := c.id("id")
				if err != nil {
					return outcome{}, err
				}
				return plain(commands.ChangeDelivery(ctx, c.caller, c.env, in.command(id)))
			}),
		onID(a, spec{method: http.MethodDelete, path: "/v1/deliveries/{id}", name: "deleteDelivery", verb: "delivery delete", needs: access.SetOf(access.DeleteDeliveries), summary: "Delete a delivery that never had an outcome.", bodyless: true, widens: true},
			commands.DeleteDelivery),
		onDelivery(a, spec{path: "complete-partially", name: "completePartially", verb: "delivery complete-partially", needs: access.SetOf(access.UpdateStatus),
			example: PartialCompletion{Items: []Rejected{{ID: "1", Rejected: 2}}}, summary: "Some of the goods were rejected."},
			func(ctx context.Context, c call, id uuid.UUID, in PartialCompletion) (outcome, error) {
				return plain(commands.CompletePartially(ctx, c.caller, c.env, command.CompletePartially{Delivery: id, OccurredAt: in.OccurredAt,
					Proof: in.Proof, Rejected: rejected(in.Items)}))
			}),
		onDelivery(a, spec{path: "correct", name: "correctOutcome", verb: "delivery correct", args: "to", needs: access.SetOf(access.UpdateStatus),
			example: Correction{Said: Said{Reason: "Entered for the wrong drop"}, To: "failed"}, summary: "Replace an outcome that was recorded wrongly; the reason is required."},
			func(ctx context.Context, c call, id uuid.UUID, in Correction) (outcome, error) {
				return plain(commands.CorrectOutcome(ctx, c.caller, c.env, command.CorrectOutcome{Delivery: id, To: in.To, Rejected: rejected(in.Items)}))
			}),
		onDelivery(a, spec{path: "reattempt", name: "reattempt", verb: "delivery reattempt", args: "date", needs: access.SetOf(access.CreateDeliveries),
			example: NewAttempt{Date: "2026-04-01"}, summary: "Plan another attempt at what failed or was completed partially.", created: true},
			func(ctx context.Context, c call, id uuid.UUID, in NewAttempt) (outcome, error) {
				out, err := commands.Reattempt(ctx, c.caller, c.env, command.Reattempt{Delivery: id, Date: in.Date})
				return outcome{answer: made(out), position: out.Position, location: fmt.Sprint("/v1/deliveries/", out.ID)}, err
			}),
		onDelivery(a, spec{path: "eta", name: "reviseEta", verb: "delivery revise-eta", args: "eta", needs: access.SetOf(access.UpdateStatus),
			example: Expected{Eta: sampleTime()}, summary: "Say when the drop is now expected."},
			func(ctx context.Context, c call, id uuid.UUID, in Expected) (outcome, error) {
				return plain(commands.ReviseEta(ctx, c.caller, c.env, command.ReviseEta{Delivery: id, Eta: in.Eta}))
			}),
	)
}

// deliveryMoveRoutes are the commands that say no more than what happened, and
// perhaps when.
func (a *api) deliveryMoveRoutes() []route.Route {
	commands, moves := a.cfg.Commands, access.SetOf(access.UpdateStatus)
	happened := func(path, name, verb, summary string, do func(context.Context, access.Caller, command.Envelope, command.Happened) (aggregates.Result, error)) route.Route {
		return onDelivery(a, spec{path: path, name: name, verb: verb, needs: moves, summary: summary, bodyless: true},
			func(ctx context.Context, c call, id uuid.UUID, in Occurred) (outcome, error) {
				return plain(do(ctx, c.caller, c.env, command.Happened{Delivery: id, OccurredAt: in.OccurredAt}))
			})
	}
	simple := func(path, name, verb string, needs access.Set, summary string, do func(context.Context, access.Caller, command.Envelope, uuid.UUID) (aggregates.Result, error)) route.Route {
		return onID(a, spec{method: http.MethodPost, path: "/v1/deliveries/{id}/" + path, name: name, verb: verb, needs: needs, summary: summary, bodyless: true}, do)
	}
	return []route.Route{
		simple("unassign", "unassignVehicle", "delivery unassign", access.SetOf(access.AssignVehicles), "Take a delivery off its vehicle.", commands.UnassignVehicle),
		happened("receive", "receiveGoods", "delivery receive", "The goods are at the depot.", commands.ReceiveGoods),
		happened("head", "startHeading", "delivery head", "The vehicle is on its way to this drop.", commands.StartHeading),
		happened("arrive", "arrive", "delivery arrive", "The vehicle is there.", commands.Arrive),
		simple("hold", "hold", "delivery hold", moves, "Stop a delivery until it is released.", commands.Hold),
		simple("release", "release", "delivery release", moves, "Bring a delivery on hold back to where it was.", commands.Release),
		happened("return", "returnDelivery", "delivery return", "The goods went back.", commands.ReturnDelivery),
		simple("cancel", "cancel", "delivery cancel", moves, "A delivery will not be made.", commands.Cancel),
	}
}

func (d DeliveryChange) command(id uuid.UUID) command.ChangeDelivery {
	out := command.ChangeDelivery{Delivery: id, DONumber: d.DONumber, Date: d.Date, Address: d.Address,
		Recipient: d.Recipient, Phone: d.Phone, Email: d.Email}
	if d.Items != nil {
		items := itemsOf(*d.Items)
		out.Items = &items
	}
	return out
}

func itemsOf(items []NewItem) []events.Item {
	var out []events.Item
	for _, i := range items {
		out = append(out, events.Item{ID: i.ID, SKU: i.SKU, Description: i.Description, Quantity: int64(i.Quantity), Unit: i.Unit})
	}
	return out
}

func rejected(items []Rejected) []events.RejectedItem {
	var out []events.RejectedItem
	for _, i := range items {
		out = append(out, events.RejectedItem{Item: i.ID, Quantity: int64(i.Rejected)})
	}
	return out
}
