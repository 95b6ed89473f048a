package readmodel

import (
	"cmp"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"waybill/events"
)

// vehicles is what a run does to read.vehicles and read.group_vehicles. What was
// added last and what was removed last are kept side by side; their positions
// tell which holds.
type vehicles struct {
	registered map[uuid.UUID]vehicle
	grouped    map[groupVehicle]membership
	left       map[groupVehicle]membership
}

type vehicle struct {
	org         uuid.UUID
	name, plate string
	position    int64
}

type groupVehicle struct{ group, vehicle uuid.UUID }

// membership is when a vehicle came to a group, or left it.
type membership struct {
	org      uuid.UUID
	position int64
}

func newVehicles() vehicles {
	return vehicles{map[uuid.UUID]vehicle{}, map[groupVehicle]membership{}, map[groupVehicle]membership{}}
}

func (v *vehicles) reset() {
	clear(v.registered)
	clear(v.grouped)
	clear(v.left)
}

// added registers a vehicle, when it has a name or plate (on the ALL group), or
// adds a registered one to a group.
func (v *vehicles) added(at place, e *events.VehicleAddedToGroup) error {
	if e.Name == "" && e.Plate == "" {
		v.grouped[groupVehicle{at.id, e.Vehicle}] = membership{at.org, at.position}
		return nil
	}
	if err := key("name", e.Name); err != nil {
		return err
	}
	v.registered[e.Vehicle] = vehicle{org: at.org, name: e.Name, plate: e.Plate, position: at.position}
	return nil
}

// removed takes a vehicle out of a group; out of the ALL group, out of everything.
func (v *vehicles) removed(at place, vehicle uuid.UUID) {
	v.left[groupVehicle{at.id, vehicle}] = membership{at.org, at.position}
}

const upsertVehicles = `
INSERT INTO read.vehicles (vehicle_id, org_id, name, plate, position)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[])
ON CONFLICT (vehicle_id) DO UPDATE
SET name = excluded.name, plate = excluded.plate, position = excluded.position
WHERE vehicles.org_id = excluded.org_id AND vehicles.position < excluded.position`

const insertGroupVehicles = `
INSERT INTO read.group_vehicles (group_id, vehicle_id, org_id, position)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[])
ON CONFLICT (group_id, vehicle_id) DO UPDATE
SET position = excluded.position
WHERE group_vehicles.org_id = excluded.org_id AND group_vehicles.position < excluded.position`

const deleteGroupVehicles = `
DELETE FROM read.group_vehicles g
USING unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[]) AS u (group_id, vehicle_id, org_id, position)
WHERE g.group_id = u.group_id AND g.vehicle_id = u.vehicle_id AND g.org_id = u.org_id AND g.position < u.position`

// What left the ALL group is in no group and no register.
const (
	deregisterGroupVehicles = `
DELETE FROM read.group_vehicles g
USING unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[]) AS u (group_id, vehicle_id, org_id, position)
JOIN read.organisations o ON o.org_id = u.org_id AND o.all_group_id = u.group_id
WHERE g.vehicle_id = u.vehicle_id AND g.org_id = u.org_id AND g.position < u.position`
	deregisterVehicles = `
DELETE FROM read.vehicles v
USING unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[]) AS u (group_id, vehicle_id, org_id, position)
JOIN read.organisations o ON o.org_id = u.org_id AND o.all_group_id = u.group_id
WHERE v.vehicle_id = u.vehicle_id AND v.org_id = u.org_id AND v.position < u.position`
)

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
		b.Queue(insertGroupVehicles, memberships(v.grouped)...)
	}
	if len(v.left) > 0 {
		for _, statement := range []string{deleteGroupVehicles, deregisterGroupVehicles, deregisterVehicles} {
			b.Queue(statement, memberships(v.left)...)
		}
	}
}

// memberships returns groups, vehicles, organisations and positions as columns.
func memberships(all map[groupVehicle]membership) []any {
	var group, vehicle, org ids
	var position longs
	for _, k := range slices.SortedFunc(maps.Keys(all), func(a, b groupVehicle) int {
		return cmp.Or(compare(a.group, b.group), compare(a.vehicle, b.vehicle))
	}) {
		group = append(group, id(k.group))
		vehicle = append(vehicle, id(k.vehicle))
		org = append(org, id(all[k].org))
		position = append(position, all[k].position)
	}
	return []any{group, vehicle, org, position}
}
