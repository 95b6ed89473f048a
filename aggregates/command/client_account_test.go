package command_test

import (
	"strings"
	"testing"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events/fault"
	"waybill/events/store"
)

func TestAnAccountThatIsRefusedForItsGroupLeavesTheEmailFree(t *testing.T) {
	t.Parallel()
	c := newCherry(t)
	_, err := c.s.ArchiveGroup(c.ctx, c.owner, because("over"), c.group)
	c.must(err)
	for range 2 { // the second finds nothing of the first
		_, err = c.s.CreateClientAccount(c.ctx, c.owner, env(), command.CreateClientAccount{Client: c.id})
		wantCode(t, err, fault.Conflict, "group-archived")
	}
	for r, err := range c.store.ReadAll(c.ctx, c.from, store.Forwards) {
		c.must(err)
		if r.Type == "CreationAbandoned" && strings.Contains(r.Stream, c.org.String()) {
			t.Errorf("%s holds what was abandoned, though nothing was begun", r.Stream)
		}
	}
	c.user(access.RoleManager, "carl@example.com")
}
