package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
)

type permissionsCmd struct {
	JSON bool `help:"Print the table as JSON."`
}

// Run implements the verb.
func (c *permissionsCmd) Run(m *Main, all verbs) error {
	table := permissions(all)
	if c.JSON {
		text, err := json.Marshal(table, jsontext.WithIndent("  "))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(m.Stdout, "%s\n", text)
		return err
	}
	return printPermissions(m.Stdout, table)
}

// permission is one line of the table: a command, and which roles may use it when
// nobody has set a switch.
type permission struct {
	Command string   `json:"command"`
	Verb    string   `json:"verb"` // on the command line
	Method  string   `json:"method"`
	Path    string   `json:"path"`
	Needs   []string `json:"needs"`
	Roles   []string `json:"roles"`
	Own     bool     `json:"own,omitzero"` // every role may for oneself

	needs access.Set
}

// permissions is the table of role x command, from the routes as they are served.
func permissions(all verbs) []permission {
	var table []permission
	for _, v := range all {
		r := v.Route
		if r.Public || r.Needs == 0 {
			continue
		}
		p := permission{Command: r.Name, Verb: v.String(), Method: r.Method, Path: r.Path, Needs: r.Needs.Names(), Roles: []string{}, Own: r.Own, needs: r.Needs}
		for _, role := range access.Roles() {
			if may(role, r) {
				p.Roles = append(p.Roles, role)
			}
		}
		table = append(table, p)
	}
	return table
}

func may(role string, r route.Route) bool {
	set, _ := access.Defaults(role)
	return set.Holds(r.Needs)
}

func printPermissions(w io.Writer, table []permission) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "COMMAND\tVERB\tNEEDS\t%s\n", strings.ToUpper(strings.Join(access.Roles(), "\t")))
	for _, p := range table {
		cells := make([]string, len(access.Roles()))
		for i, role := range access.Roles() {
			cells[i] = "-"
			if set, _ := access.Defaults(role); set.Holds(p.needs) {
				cells[i] = "yes"
			} else if p.Own {
				cells[i] = "own"
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", p.Command, p.Verb, strings.Join(p.Needs, ", "), strings.Join(cells, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, "\nThis is what roles come with; a user's switches change it. Which rows a command reaches is decided by groups.\n"+
		"What is not in the table is open to whoever sees what it is about: one's sessions, a client's own approval; a bulk command\n"+
		"needs for each delivery what it would need alone. What says own, everybody may for oneself.\n")
	return err
}
