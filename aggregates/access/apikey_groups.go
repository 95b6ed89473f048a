package access

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"waybill/events/fault"
)

// groupsExist refuses groups that are none of an organisation: who sees all of it
// sees no others.
func (s *Service) groupsExist(ctx context.Context, org uuid.UUID, groups []uuid.UUID) error {
	if len(groups) == 0 {
		return nil
	}
	var there []uuid.UUID
	const q = `
		SELECT coalesce(array_agg(group_id), '{}') FROM read.groups
		WHERE org_id = $1 AND group_id = ANY($2) AND kind <> 'all'`
	if err := s.cfg.Pool.QueryRow(ctx, q, org, groups).Scan(&there); err != nil {
		return wrapStorage(err, "look at the groups of an API key")
	}
	for _, g := range groups {
		if !slices.Contains(there, g) {
			return fault.New(fault.NotFound, "group-not-found", "There is no such group.")
		}
	}
	return nil
}
