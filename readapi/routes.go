package readapi

import (
	"net/http"
	"reflect"
	"slices"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
)

// Routes returns the query routes.
func Routes(cfg Config) ([]route.Route, error) {
	a, err := newAPI(cfg)
	if err != nil {
		return nil, err
	}
	routes := a.routes()
	if cfg.Metrics == nil {
		routes = slices.DeleteFunc(routes, func(r route.Route) bool { return r.Name == metricsName })
	}
	return routes, nil
}

const metricsName = "metrics"

// Declared returns the query routes as they are declared, for those who print
// them or make verbs of them. Their handlers serve nothing.
func Declared() []route.Route { return (&api{}).routes() }

func (a *api) routes() []route.Route {
	metrics := promhttp.HandlerFor(a.cfg.Metrics, promhttp.HandlerOpts{})
	position := route.Param{In: "header", Name: positionHeader, Summary: "Answer only with what holds this position; 504 when that takes too long."}
	cursor := route.Param{In: "query", Name: "cursor", Summary: "Where to go on: next of the page before."}
	limit := route.Param{In: "query", Name: "limit", Summary: "Size of the page, 1 to 200, 50 when not given."}
	get := func(path, name, verb, summary string, answer reflect.Type, do func(http.ResponseWriter, *http.Request, access.Caller) error, params ...route.Param) route.Route {
		return route.Route{Method: http.MethodGet, Path: path, Name: name, Verb: verb, Summary: summary, Handler: a.query(do),
			Params: append(params, position), Answer: answer, Status: http.StatusOK}
	}
	// known makes a list of things that people know by these members.
	known := func(r route.Route, names ...string) route.Route {
		r.Names = names
		return r
	}
	// table makes a list of which a table shows these members.
	table := func(r route.Route, columns ...string) route.Route {
		r.Columns = columns
		return r
	}
	return []route.Route{
		// The router tries one after the other: these are most of the requests.
		known(table(get("/v1/deliveries", "listDeliveries", "delivery list", "The deliveries that the caller sees, latest date first.", route.Of[DeliveryList](), a.deliveries,
			append(filters(), limit, cursor)...), "id", "do_number", "date", "status", "group", "recipient", "address"), "do_number"),
		a.exportRoute(position),
		get("/v1/deliveries/{id}", "getDelivery", "delivery show", "One delivery with its items and the end of its timeline.", route.Of[DeliveryWhole](), a.delivery),
		table(get("/v1/deliveries/{id}/timeline", "deliveryTimeline", "delivery timeline", "What happened to a delivery, latest first.", route.Of[Timeline](), a.timelineOf, limit, cursor), "revision", "at", "type", "actor", "reason"),
		get("/v1/me", "me", "whoami", "Who asks, and what they may.", route.Of[Me](), a.me),
		get("/v1/organisation", "organisation", "organisation show", "The caller's organisation.", route.Of[Organisation](), a.organisation),
		known(table(get("/v1/groups", "listGroups", "group list", "The groups that the caller sees, by name.", route.Of[Groups](), a.groups, limit, cursor), "id", "name", "kind", "status", "customer_codes"), "name"),
		get("/v1/groups/{id}", "getGroup", "group show", "One group.", route.Of[Group](), a.group),
		table(get("/v1/customer-codes", "listCustomerCodes", "customer-code list", "The codes of the groups that the caller sees.", route.Of[CustomerCodes](), a.customerCodes,
			route.Param{In: "query", Name: "group", Summary: "Only of this group.", Format: "uuid"}, limit, cursor), "code", "group"),
		get("/v1/groups/{id}/import-template", "getGroupImportTemplate", "group import-template", "How the group's delivery files are read.", route.Of[ImportTemplate](), a.groupImportTemplate),
		get("/v1/settings/import-template", "getImportTemplate", "organisation import-template", "How delivery files are read when nothing is said with them.", route.Of[ImportTemplate](), a.importTemplate),
		known(table(get("/v1/users", "listUsers", "user list", "The users that the caller sees, by name.", route.Of[Users](), a.users, limit, cursor), "id", "name", "email", "role", "status", "access"), "email", "name"),
		get("/v1/users/{id}", "getUser", "user show", "One user.", route.Of[User](), a.user),
		table(get("/v1/users/{id}/grants", "listGrants", "user grants", "The grants of a user, in the order in which they were given.", route.Of[Grants](), a.grants, limit, cursor), "id", "group", "basis", "granted_at", "granted_by", "expires_at", "ended_at"),
		table(get("/v1/access-requests", "listAccessRequests", "access-request list", "Who asked for whose sight of which group, as far as the caller sees both.", route.Of[AccessRequests](), a.accessRequests,
			route.Param{In: "query", Name: "status", Summary: "Only those.", Enum: requestStatuses()},
			route.Param{In: "query", Name: "user", Summary: "Only for this user.", Format: "uuid"}, limit, cursor), "id", "user", "group", "status", "reason", "requested_at"),
		get("/v1/access-requests/{id}", "getAccessRequest", "access-request show", "One request for access.", route.Of[AccessRequest](), a.accessRequest),
		known(table(get("/v1/clients", "listClients", "client list", "The clients that the caller sees, by name.", route.Of[Clients](), a.clients,
			route.Param{In: "query", Name: "status", Summary: "How the client stands; without it, all but the removed ones.", Enum: clientStatuses()},
			route.Param{In: "query", Name: "dispatcher", Kind: "user", Summary: "Id of the user who looks after it, or none for the owners."}, limit, cursor), "id", "business_name", "email", "status", "mode", "group"), "business_name"),
		get("/v1/clients/{id}", "getClient", "client show", "One client.", route.Of[Client](), a.client),
		get("/v1/clients/{id}/account-draft", "getClientAccountDraft", "client account-draft", "What a client's account would be made of, to be edited.", route.Of[AccountDraft](), a.accountDraft),
		known(table(get("/v1/vehicles", "listVehicles", "vehicle list", "The vehicles that the caller sees, by name.", route.Of[Vehicles](), a.vehicles, limit, cursor), "id", "name", "plate"), "name", "plate"),
		get("/v1/vehicles/{id}", "getVehicle", "vehicle show", "One vehicle.", route.Of[Vehicle](), a.vehicle),
		table(get("/v1/vehicles/{id}/positions", "vehiclePositions", "vehicle positions", "Where a vehicle was lately.", route.Of[VehicleTrail](), a.trail, limit), "at", "latitude", "longitude", "speed", "heading"),
		get("/v1/progress", "progress", "delivery progress", "How many deliveries stand where.", route.Of[Progressed](), a.progress, groupParam()),
		{Method: http.MethodGet, Path: "/livez", Name: "live", Verb: "server live", Summary: "The process runs.", Public: true, Status: http.StatusOK, Handler: http.HandlerFunc(a.live), Answer: route.Of[Health]()},
		{Method: http.MethodGet, Path: "/readyz", Name: "ready", Verb: "server ready", Summary: "Everything that is needed is there.", Public: true, Status: http.StatusOK, Handler: http.HandlerFunc(a.ready), Answer: route.Of[Health](),
			Others: map[int]reflect.Type{http.StatusServiceUnavailable: route.Of[Health]()}},
		{Method: http.MethodGet, Path: "/metrics", Name: metricsName, Verb: "server metrics", Summary: "Figures for Prometheus.", Public: true, Files: []string{"text/plain"}, Status: http.StatusOK, Handler: metrics},
	}
}

func groupParam() route.Param {
	return route.Param{In: "query", Name: "group", Summary: "Id of a group, or none for what is in no group."}
}

// filters are the parameters that say which deliveries are meant.
func filters() []route.Param {
	return []route.Param{groupParam(),
		{In: "query", Name: "status", Summary: "Tracking status.", Enum: trackingStatuses()},
		{In: "query", Name: "date_from", Summary: "First day.", Format: "date"},
		{In: "query", Name: "date_to", Summary: "Last day.", Format: "date"},
		{In: "query", Name: "do_number", Summary: "Exactly this D.O. number."},
		{In: "query", Name: "q", Summary: "Words that are all in the D.O. number, the recipient or the address; case and accents do not count."},
	}
}

// exportRoute stands before that of one delivery, whose path it would fit.
func (a *api) exportRoute(position route.Param) route.Route {
	format := route.Param{In: "query", Name: "format", Summary: "Kind of file; csv when not given.", Enum: []string{"csv", "xlsx"}}
	return route.Route{Method: http.MethodGet, Path: "/v1/deliveries/export", Name: "exportDeliveries", Verb: "delivery export",
		Summary: "The deliveries of a list as a file that an import knows, a row for each item.", Needs: access.SetOf(access.ExportDeliveries),
		Handler: a.query(a.exportDeliveries), Params: append(filters(), format, position), Files: []string{mediaCSV, mediaXLSX}, Status: http.StatusOK}
}
