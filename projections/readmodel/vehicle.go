package readmodel

import (
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
)

// vehicles is what a run does to read.vehicles and read.group_vehicles.
type vehicles struct {
	registered map[uuid.UUID]vehicle
	grouped    map[groupVehicle]uuid.UUID // to the organisation
}

type vehicle struct {
	org         uuid.UUID
	name, plate string
	position    int64
}

type groupVehicle struct{ group, vehicle uuid.UUID }

func (v *vehicles) reset() {
	clear(v.registered)
	clear(v.grouped)
}

// added registers a vehicle, when it has a name or plate (on the ALL group), or
// adds a registered one to a group.
func (v *vehicles) added(at place, e *events.VehicleAddedToGroup) error {
	if e.Name == "" && e.Plate == "" {
		v.grouped[groupVehicle{at.id, e.Vehicle}] = at.org
		return nil
	}
	if err := key("name", e.Name); err != nil {
		return err
	}
	v.registered[e.Vehicle] = vehicle{org: at.org, name: e.Name, plate: e.Plate, position: at.position}
	return nil
}

const upsertVehicles = `
INSERT INTO read.vehicles (vehicle_id, org_id, name, plate, position)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[])
ON CONFLICT (vehicle_id) DO UPDATE
SET name = excluded.name, plate = excluded.plate, position = excluded.position
WHERE vehicles.org_id = excluded.org_id AND vehicles.position < excluded.position`

const insertGroupVehicles = `
INSERT INTO read.group_vehicles (group_id, vehicle_id, org_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[])
ON CONFLICT (group_id, vehicle_id) DO NOTHING`

func (v *vehicles) queue(b *pgx.Batch) {
	if len(v.registered) > 0 {
		var vehicle, org ids
		var name, plate texts
		var position longs
		for _, key := range sorted(v.registered) {
			row := v.registered[key]
			vehicle = append(vehicle, id(key))
			org = append(org, id(row.org))
			name = append(name, text(row.name))
			plate = append(plate, text(row.plate))
			position = append(position, row.position)
		}
		b.Queue(upsertVehicles, vehicle, org, name, plate, position)
	}
	if len(v.grouped) > 0 {
		var group, vehicle, org ids
		for _, k := range slices.SortedFunc(maps.Keys(v.grouped), func(a, b groupVehicle) int {
			if c := compare(a.group, b.group); c != 0 {
				return c
			}
			return compare(a.vehicle, b.vehicle)
		}) {
			group = append(group, id(k.group))
			vehicle = append(vehicle, id(k.vehicle))
			org = append(org, id(v.grouped[k]))
		}
		b.Queue(insertGroupVehicles, group, vehicle, org)
	}
}
