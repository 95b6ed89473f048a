package readapi

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"github.com/jackc/pgx/v5"

	"waybill/aggregates/access"
)

// Vehicle is one vehicle that the caller sees.
type Vehicle struct {
	ID    uuid.UUID `json:"id"`
	Name  string    `json:"name"`
	Plate string    `json:"plate"`

	Position *VehiclePosition `json:"position,omitzero" doc:"The latest that is known."`
}

// VehiclePosition is where a vehicle was, and how it moved.
type VehiclePosition struct {
	At        time.Time `json:"at"`
	Latitude  float64   `json:"latitude" doc:"Degrees, WGS 84."`
	Longitude float64   `json:"longitude" doc:"Degrees."`
	Speed     *float64  `json:"speed,omitzero" doc:"km/h."`
	Heading   *float64  `json:"heading,omitzero" doc:"Degrees, clockwise from north."`
}

// VehicleTrail is where a vehicle was lately.
type VehicleTrail struct {
	Positions []VehiclePosition `json:"positions" doc:"Latest first; older ones are not kept."`
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

// trail answers GET /v1/vehicles/{id}/positions. The policies of the tables show
// it to who sees the vehicle.
func (a *api) trail(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	p := paramsOf(r, "limit")
	limit := p.limit()
	if err := p.err(); err != nil {
		return err
	}
	id, err := uuid.Parse(mux.Vars(r)["id"])
	if err != nil {
		return errNotFound()
	}
	answer, found := VehicleTrail{Positions: []VehiclePosition{}}, false
	batch := scoped(c)
	batch.Queue(`SELECT FROM read.vehicles WHERE org_id = $1 AND vehicle_id = $2`, c.Org, id)
	batch.Queue(`
		SELECT at, latitude, longitude, speed, heading
		FROM telemetry.trail
		WHERE org_id = $1 AND vehicle_id = $2
		ORDER BY at DESC
		LIMIT $3`, c.Org, id, limit)
	err = a.run(r.Context(), batch, func(results pgx.BatchResults) error {
		if err := rows(results, func(pgx.Rows) error { found = true; return nil }); err != nil {
			return err
		}
		return rows(results, func(rs pgx.Rows) error {
			var v VehiclePosition
			err := rs.Scan(&v.At, &v.Latitude, &v.Longitude, &v.Speed, &v.Heading)
			v.At = v.At.UTC()
			answer.Positions = append(answer.Positions, v)
			return err
		})
	})
	switch {
	case err != nil:
		return err
	case !found:
		return errNotFound()
	}
	return reply(w, answer)
}

func vehicleList(c access.Caller) namedList {
	return namedList{name: `v.name`, id: `v.vehicle_id`, args: []any{c.Org}, query: `
		SELECT v.vehicle_id, v.name, v.plate, l.at, l.latitude, l.longitude, l.speed, l.heading
		FROM read.vehicles v
		LEFT JOIN telemetry.latest l ON l.vehicle_id = v.vehicle_id
		WHERE v.org_id = $1`}
}

func scanVehicle(rs pgx.Rows) (Vehicle, error) {
	var v Vehicle
	var at *time.Time
	var latitude, longitude *float64
	var p VehiclePosition
	err := rs.Scan(&v.ID, &v.Name, &v.Plate, &at, &latitude, &longitude, &p.Speed, &p.Heading)
	if at != nil && latitude != nil && longitude != nil {
		p.At, p.Latitude, p.Longitude = at.UTC(), *latitude, *longitude
		v.Position = &p
	}
	return v, err
}
