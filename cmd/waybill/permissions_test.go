package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"waybill/aggregates/access"
)

func TestTheTableOfRoleByCommandIsPrinted(t *testing.T) {
	t.Parallel()
	var table []permission
	if err := json.Unmarshal([]byte(mustRun(t, "permissions", "--json")), &table); err != nil {
		t.Fatal(err)
	}
	roles := map[string][]string{}
	for _, p := range table {
		roles[p.Command] = p.Roles
		if p.Own != (p.Command == "requestGroupAccess") {
			t.Errorf("%s is for everybody oneself: %v", p.Command, p.Own)
		}
	}
	for command, want := range map[string][]string{
		"addUser":              {access.RoleOwner, access.RoleSuperAdmin, access.RoleManager},
		"grantAllGroupsAccess": {access.RoleOwner, access.RoleSuperAdmin},
		"dispatch":             {access.RoleOwner, access.RoleSuperAdmin, access.RoleManager, access.RoleDispatcher, access.RoleCSO},
	} {
		if !slices.Equal(roles[command], want) {
			t.Errorf("%s is for %v, want %v", command, roles[command], want)
		}
	}
	all, err := declared()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if _, there := roles[v.Route.Name]; there != (v.Route.Needs != 0 && !v.Route.Public) {
			t.Errorf("%s needs %v; it is in the table: %v", v, v.Route.Needs.Names(), there)
		}
	}
	text := mustRun(t, "permissions")
	if line := regexp.MustCompile(`(?m)^requestGroupAccess .*$`).FindString(text); strings.Count(line, " own") != 4 || strings.Count(line, "yes") != 3 {
		t.Errorf("asking for oneself is told as %q", line)
	}
	if lines := strings.Count(text, "\n"); lines < len(table)+1 || !strings.HasPrefix(text, "COMMAND") {
		t.Errorf("the table is printed in %d lines, for %d commands", lines, len(table))
	}
}
