package readapi

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// Vehicle is one vehicle that the caller sees.
type Vehicle struct {
	ID    uuid.UUID `json:"id"`
	Name  string    `json:"name"`
	Plate string    `json:"plate"`
}

// Vehicles is a page of vehicles.
type Vehicles struct {
	Vehicles []Vehicle `json:"vehicles"`
	Next     string    `json:"next,omitzero" doc:"Cursor of the next page."`
}

// vehicles answers GET /v1/vehicles: with ALL the register, otherwise what is in
// one's groups, and nothing at all when view_vehicles is off. The policies of the
// tables say so.
func (a *api) vehicles(w http.ResponseWriter, r *http.Request, c access.Caller) (err error) {
	answer := Vehicles{Vehicles: []Vehicle{}}
	answer.Next, err = a.named(w, r, c, vehicleList(c), func(rs pgx.Rows) (named, error) {
		v, err := scanVehicle(rs)
		answer.Vehicles = append(answer.Vehicles, v)
		return named{&v.Name, v.ID}, err
	})
	if err != nil {
		return err
	}
	return reply(w, answer)
}

// vehicle answers GET /v1/vehicles/{id}.
func (a *api) vehicle(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	return a.item(w, r, c, vehicleList(c), func(rs pgx.Rows) (any, *uint64, error) {
		v, err := scanVehicle(rs)
		return v, nil, err
	})
}

func vehicleList(c access.Caller) namedList {
	return namedList{name: `v.name`, id: `v.vehicle_id`, args: []any{c.Org},
		query: `SELECT v.vehicle_id, v.name, v.plate FROM read.vehicles v WHERE v.org_id = $1`}
}

func scanVehicle(rs pgx.Rows) (Vehicle, error) {
	var v Vehicle
	err := rs.Scan(&v.ID, &v.Name, &v.Plate)
	return v, err
}
