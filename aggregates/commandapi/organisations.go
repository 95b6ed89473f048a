package commandapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"

	"github.com/google/uuid"

	"waybill/aggregates"
	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
	"waybill/events/fault"
)

// NewOrganisation asks for an organisation with its first owner.
type NewOrganisation struct {
	Said     `json:",inline"`
	Name     string `json:"name"`
	Kind     string `json:"kind,omitzero" enum:"operator,independent_dispatcher" doc:"Operator when not given."`
	Timezone string `json:"timezone" doc:"IANA name."`
	Owner    Owner  `json:"owner"`
}

// Owner is the first owner.
type Owner struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// OrganisationMade is the answer.
type OrganisationMade struct {
	Done     `json:",inline"`
	AllGroup uuid.UUID `json:"all_group"`
	Owner    uuid.UUID `json:"owner" doc:"The owner's user."`
}

// GroupField turns tagging on or off.
type GroupField struct {
	Said    `json:",inline"`
	Enabled *bool `json:"enabled"`
}

// Timezone is which days the organisation goes by.
type Timezone struct {
	Said     `json:",inline"`
	Timezone string `json:"timezone" doc:"IANA name."`
}

// NewVehicle asks for a vehicle in the register.
type NewVehicle struct {
	Said  `json:",inline"`
	Name  string `json:"name"`
	Plate string `json:"plate" doc:"Registered once, however it is spaced."`
}

// setupHeader carries the token of whoever runs this installation.
const setupHeader = "Waybill-Setup-Token"

func (a *api) organisationRoutes() []route.Route {
	create := on(a, spec{method: http.MethodPost, path: "/v1/organisations", name: "createOrganisation", verb: "organisation create", args: "name",
		example: NewOrganisation{Name: "My Company", Timezone: "Europe/Berlin", Owner: Owner{Name: "Me", Email: "me@example.com"}}, created: true, widens: true,
		summary: "Create an organisation with its first owner. For whoever runs the installation.", answer: OrganisationMade{}},
		func(ctx context.Context, c call, in NewOrganisation) (outcome, error) {
			if in.Kind == "" {
				in.Kind = "operator"
			}
			out, err := a.cfg.Commands.CreateOrganisation(ctx, access.System(uuid.Nil), c.env, command.CreateOrganisation{
				Name: in.Name, Kind: in.Kind, Timezone: in.Timezone, Owner: command.Owner(in.Owner)})
			d := done(out.Owner.Result)
			d.ID = out.Organisation
			return outcome{answer: OrganisationMade{d, out.AllGroup, out.Owner.ID}, position: out.Owner.Position}, err
		})
	create.Public = true
	create.Params = append(create.Params, route.Param{In: "header", Name: setupHeader, Summary: "Proves that the caller runs the installation."})
	create.Handler = a.setupOnly(create.Handler)
	return []route.Route{
		create,
		on(a, spec{method: http.MethodPut, path: "/v1/settings/group-field", name: "setGroupField", verb: "organisation group-field", needs: access.SetOf(access.ManageGroups),
			example: GroupField{Enabled: new(true)}, summary: "Let deliveries be tagged, or not."},
			func(ctx context.Context, c call, in GroupField) (outcome, error) {
				// An empty body switches nothing off.
				if in.Enabled == nil && c.caller.May(access.ManageGroups) {
					return outcome{}, fault.InvalidField("enabled", "must be true or false")
				}
				set := a.cfg.Commands.DisableGroupField
				if in.Enabled != nil && *in.Enabled {
					set = a.cfg.Commands.EnableGroupField
				}
				res, err := set(ctx, c.caller, c.env)
				return plain(res, err)
			}),
		on(a, spec{method: http.MethodPut, path: "/v1/settings/timezone", name: "setTimezone", verb: "organisation set-timezone", args: "timezone", needs: access.SetOf(access.ManageGroups),
			example: Timezone{Timezone: "Europe/Berlin"}, summary: "Set which days the organisation goes by."},
			func(ctx context.Context, c call, in Timezone) (outcome, error) {
				return plain(a.cfg.Commands.SetTimezone(ctx, c.caller, c.env, in.Timezone))
			}),
		on(a, spec{method: http.MethodPut, path: "/v1/settings/import-template", name: "setImportTemplate", verb: "organisation set-import-template", needs: access.SetOf(access.ManageGroups),
			example: Template{Columns: map[string]string{"number": "Shipment No"}, DateFormat: "DD/MM/YYYY"},
			summary: "Say how delivery files are read when nothing is said with them."},
			func(ctx context.Context, c call, in Template) (outcome, error) {
				return plain(a.cfg.Commands.SetImportTemplate(ctx, c.caller, c.env, command.SetImportTemplate{Template: in.event()}))
			}),
		onID(a, spec{method: http.MethodDelete, path: "/v1/vehicles/{id}", name: "removeVehicle", verb: "vehicle remove", needs: access.SetOf(access.ManageVehicles), bodyless: true, widens: true,
			summary: "Take a vehicle out of the register and of every group."}, a.cfg.Commands.RemoveVehicle),
		on(a, spec{method: http.MethodPost, path: "/v1/vehicles", name: "registerVehicle", verb: "vehicle register", args: "name", needs: access.SetOf(access.ManageVehicles),
			example: NewVehicle{Name: "Van 1", Plate: "B WB 100"}, summary: "Register a vehicle.", created: true},
			func(ctx context.Context, c call, in NewVehicle) (outcome, error) {
				out, err := a.cfg.Commands.RegisterVehicle(ctx, c.caller, c.env, command.RegisterVehicle{Name: in.Name, Plate: in.Plate})
				return outcome{answer: made(out), position: out.Position, location: "/v1/vehicles/" + out.ID.String()}, err
			}),
	}
}

// plain is the outcome of a command that makes nothing new.
func plain(res aggregates.Result, err error) (outcome, error) {
	return outcome{answer: done(res), position: res.Position}, err
}

// setupOnly lets only the bearer of the set-up token through.
func (a *api) setupOnly(next http.Handler) http.Handler {
	return a.handler(func(w http.ResponseWriter, r *http.Request) error {
		given := sha256.Sum256([]byte(r.Header.Get(setupHeader)))
		if a.cfg.SetupToken == "" || subtle.ConstantTimeCompare(given[:], a.setup[:]) != 1 {
			return fault.New(fault.Denied, "setup-token", "Organisations are created by whoever runs waybill, with the set-up token in the header %s.", setupHeader)
		}
		next.ServeHTTP(w, r)
		return nil
	})
}
