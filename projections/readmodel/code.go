package readmodel

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// codes is what a run does to read.customer_codes.
type codes map[customerCode]codeChange

type customerCode struct {
	org  uuid.UUID
	code string
}

// codeChange is what becomes of one code. A group that gives the code up does so
// only while it is that group's.
type codeChange struct {
	group    uuid.UUID   // mapped to; zero: to none
	known    bool        // group is what holds, whatever stood in the row
	gave     []uuid.UUID // while not known: who gave it up, if it was theirs
	position int64
}

func (c codes) mapped(at place, code string) {
	c[customerCode{at.org, clean(code)}] = codeChange{group: at.id, known: true, position: at.position}
}

func (c codes) unmapped(at place, code string) {
	k := customerCode{at.org, clean(code)}
	row := c[k]
	switch {
	case !row.known:
		row.gave = append(row.gave, at.id)
	case row.group == at.id:
		row.group = uuid.Nil
	default:
		return
	}
	row.position = at.position
	c[k] = row
}

const upsertCodes = `
INSERT INTO read.customer_codes (org_id, code, group_id, position)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[])
ON CONFLICT (org_id, code) DO UPDATE
SET group_id = excluded.group_id, position = excluded.position
WHERE customer_codes.position < excluded.position`

// A null group stands for any.
const deleteCodes = `
DELETE FROM read.customer_codes c
USING unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[]) AS u (org_id, code, group_id, position)
WHERE c.org_id = u.org_id AND c.code = u.code AND (u.group_id IS NULL OR c.group_id = u.group_id)
  AND c.position < u.position`

func (c codes) queue(b *pgx.Batch) {
	var set, gone struct {
		org, group ids
		code       texts
		position   longs
	}
	for _, k := range slices.SortedFunc(maps.Keys(c), func(a, b customerCode) int {
		return cmp.Or(bytes.Compare(a.org[:], b.org[:]), cmp.Compare(a.code, b.code))
	}) {
		row := c[k]
		to, groups := &gone, row.gave
		if row.known {
			groups = []uuid.UUID{row.group}
			if row.group != uuid.Nil {
				to = &set
			}
		}
		for _, g := range groups {
			to.org = append(to.org, id(k.org))
			to.code = append(to.code, text(k.code))
			to.group = append(to.group, id(g))
			to.position = append(to.position, row.position)
		}
	}
	if len(gone.org) > 0 {
		b.Queue(deleteCodes, gone.org, gone.code, gone.group, gone.position)
	}
	if len(set.org) > 0 {
		b.Queue(upsertCodes, set.org, set.code, set.group, set.position)
	}
}
