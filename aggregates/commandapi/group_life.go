package commandapi

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/command"
	"waybill/events"
)

// GroupName is what a group is to be called.
type GroupName struct {
	Said `json:",inline"`
	Name string `json:"name" doc:"Unique in the organisation."`
}

// MergeTarget is the group that another one is merged into.
type MergeTarget struct {
	Said                `json:",inline"`
	Into                uuid.UUID `json:"into" kind:"group" doc:"The group that it becomes part of."`
	AcknowledgeWidening bool      `json:"acknowledge_widening,omitzero" doc:"Required when somebody gains sight of deliveries; a dry run tells who."`
}

// Template says how delivery files are read when nothing is said with them.
type Template struct {
	Said       `json:",inline"`
	Columns    map[string]string `json:"columns,omitempty" doc:"Field to header, such as group to Customer Code."`
	DateFormat string            `json:"date_format,omitzero" doc:"Order of dates in numbers, such as DD/MM/YYYY."`
}

func (t Template) event() events.ImportTemplate {
	return events.ImportTemplate{Columns: t.Columns, DateFormat: t.DateFormat}
}

// groupLifeRoutes are the commands on a group that exists.
func (a *api) groupLifeRoutes() []route.Route {
	commands := a.cfg.Commands
	return []route.Route{
		onGroup(a, spec{method: http.MethodPost, path: "/rename", name: "renameGroup", verb: "group rename", args: "name", needs: access.SetOf(access.ManageGroups),
			example: GroupName{Name: "Apple Ltd"}, summary: "Give a group another name; its id stays."},
			func(ctx context.Context, c call, id uuid.UUID, in GroupName) (outcome, error) {
				return plain(commands.RenameGroup(ctx, c.caller, c.env, command.RenameGroup{Group: id, Name: in.Name}))
			}),
		onGroup(a, spec{method: http.MethodPost, path: "/archive", name: "archiveGroup", verb: "group archive", needs: access.SetOf(access.ManageGroups), bodyless: true, widens: true, dryRun: true, answer: Widened{},
			summary: "Take a group out of use: only users with access to all groups see it from then on. Not while the people of a client who withdrew its approval, or was removed, keep reading it."},
			func(ctx context.Context, c call, id uuid.UUID, _ Said) (outcome, error) {
				if c.dryRun {
					return preview(commands.PreviewArchive(ctx, c.caller, c.env, id))
				}
				return widened(commands.ArchiveGroup(ctx, c.caller, c.env, id))
			}),
		onGroup(a, spec{method: http.MethodPost, path: "/restore", name: "restoreGroup", verb: "group restore", needs: access.SetOf(access.ManageGroups), bodyless: true, widens: true, dryRun: true, answer: Widened{},
			summary: "Bring an archived group back; ended grants stay ended."},
			func(ctx context.Context, c call, id uuid.UUID, _ Said) (outcome, error) {
				if c.dryRun {
					return preview(commands.PreviewRestore(ctx, c.caller, id))
				}
				return widened(commands.RestoreGroup(ctx, c.caller, c.env, id))
			}),
		onGroup(a, spec{method: http.MethodPost, path: "/merge", name: "mergeGroup", verb: "group merge", args: "into", needs: access.SetOf(access.ManageGroups),
			example: MergeTarget{Into: route.Sample("other group"), AcknowledgeWidening: true}, widens: true, dryRun: true, answer: Widened{},
			summary: "Merge a group into another, for good: its deliveries move there, and those who see that one gain sight of them. " +
				"What is put into it at that very moment follows; if its D.O. number is taken there, it stays, and only users with access to all groups see it, until they change its number or date, or tag it."},
			func(ctx context.Context, c call, id uuid.UUID, in MergeTarget) (outcome, error) {
				merge := command.MergeGroup{Group: id, Into: in.Into, AcknowledgeWidening: in.AcknowledgeWidening}
				if c.dryRun {
					return preview(commands.PreviewMerge(ctx, c.caller, merge))
				}
				return widened(commands.MergeGroup(ctx, c.caller, c.env, merge))
			}),
		onGroup(a, spec{method: http.MethodPut, path: "/import-template", name: "setGroupImportTemplate", verb: "group set-import-template", needs: access.SetOf(access.ManageGroups),
			example: Template{Columns: map[string]string{"number": "Shipment No"}, DateFormat: "DD/MM/YYYY"},
			summary: "Say how the group's delivery files are read; empty: as the organisation's."},
			func(ctx context.Context, c call, id uuid.UUID, in Template) (outcome, error) {
				return plain(commands.SetImportTemplate(ctx, c.caller, c.env, command.SetImportTemplate{Group: id, Template: in.event()}))
			}),
		onGroup(a, spec{method: http.MethodPut, path: "/vehicles/{vehicle}", name: "addVehicleToGroup", verb: "group add-vehicle", needs: access.SetOf(access.ManageVehicles), bodyless: true, widens: true,
			summary: "Add a registered vehicle to a group."},
			func(ctx context.Context, c call, id uuid.UUID, _ Said) (outcome, error) {
				vehicle, err := c.id("vehicle")
				if err != nil {
					return outcome{}, err
				}
				return plain(commands.AddVehicleToGroup(ctx, c.caller, c.env, command.AddVehicleToGroup{Vehicle: vehicle, Group: id}))
			}),
		onGroup(a, spec{method: http.MethodDelete, path: "/vehicles/{vehicle}", name: "removeVehicleFromGroup", verb: "group remove-vehicle", needs: access.SetOf(access.ManageVehicles), bodyless: true, widens: true,
			summary: "Take a vehicle out of a group."},
			func(ctx context.Context, c call, id uuid.UUID, _ Said) (outcome, error) {
				vehicle, err := c.id("vehicle")
				if err != nil {
					return outcome{}, err
				}
				return plain(commands.RemoveVehicleFromGroup(ctx, c.caller, c.env, command.RemoveVehicleFromGroup{Vehicle: vehicle, Group: id}))
			}),
	}
}

// onGroup makes the route of a command on one group; the path of its spec is what
// follows the group's.
func onGroup[In sayer](a *api, s spec, run func(ctx context.Context, c call, id uuid.UUID, in In) (outcome, error)) route.Route {
	s.path = "/v1/groups/{id}" + s.path
	return on(a, s, func(ctx context.Context, c call, in In) (outcome, error) {
		id, err := c.id("id")
		if err != nil {
			return outcome{}, err
		}
		return run(ctx, c, id, in)
	})
}
