package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Rows of a demo's tables that are printed; --json tells all.
const (
	usersShown  = 14
	groupsShown = 14
)

// print writes the summary for people.
func (d *shown) print(w io.Writer, rep *report) error {
	fmt.Fprintf(w, "%s\n", d.Import)
	rep.print(w)
	fmt.Fprintf(w, "\n%s: %s deliveries with %s items in %s groups, %s untagged; the same by SQL and by the API.\n(%s)\n",
		d.Organisation, thousands(d.Deliveries), thousands(d.Items), thousands(d.GroupsInAll), thousands(d.Untagged), d.Storage)
	d.printGroups(w)
	d.printUsers(w)
	d.printTruth(w)
	d.printClients(w)
	if d.URL != "" {
		d.printDoors(w)
	}
	return nil
}

func (d *shown) printGroups(w io.Writer) {
	fmt.Fprintln(w, "\nGroups, as the manager sees them:")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, g := range d.PerGroup[:min(groupsShown, len(d.PerGroup))] {
		fmt.Fprintf(t, "  %s\t%s\n", g.Name, thousands(g.Manager))
	}
	t.Flush()
	more(w, len(d.PerGroup)-groupsShown, "groups")
}

func (d *shown) printUsers(w io.Writer) {
	fmt.Fprintln(w, "\nWho sees how many deliveries:")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, u := range d.Users[:min(usersShown, len(d.Users))] {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\n", u.Name, u.Email, u.Role, strings.Join(u.Groups, ", "), thousands(u.Deliveries))
	}
	t.Flush()
	more(w, len(d.Users)-usersShown, "users")
}

func more(w io.Writer, n int, of string) {
	if n > 0 {
		fmt.Fprintf(w, "  … and %s more %s; --json tells all\n", thousands(n), of)
	}
}

func (d *shown) printTruth(w io.Writer) {
	if len(d.Numbers) == 0 {
		return
	}
	fmt.Fprintln(w, "\nWho sees which delivery:")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  ")
	for _, c := range truthTable {
		fmt.Fprintf(t, "\t%s %s", c.number, c.group)
	}
	fmt.Fprintln(t)
	for _, u := range d.Users {
		fmt.Fprintf(t, "  %s (%s)", u.Name, strings.Join(u.Groups, ", "))
		for _, sees := range u.Truth {
			word := "no"
			if sees {
				word = "yes"
			}
			fmt.Fprintf(t, "\t%s", word)
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}

// printDoors writes how to get in: URL, names, one-time links, curl lines.
func (d *shown) printDoors(w io.Writer) {
	fmt.Fprintf(w, "\nThe server is at %s. Each of these links sets a password, once; the e-mail is the name to sign in with:\n", d.URL)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, u := range d.Users {
		if u.Link != "" {
			fmt.Fprintf(t, "  %s\t%s\n", u.Email, u.Link)
		}
	}
	t.Flush()
	if len(d.Users) > linksShown {
		fmt.Fprintln(w, "  everybody else: waybill sign-in-link E-MAIL, in a second terminal")
	}
	fmt.Fprintf(w, "  these links stand beside those of the mails (%s)\n", d.Mail)
	if d.curlEmail == "" {
		fmt.Fprintln(w, "\nCtrl-C ends it; the next run finds its data again.")
		return
	}
	const password = "one fruit a day"
	fmt.Fprintf(w, `
As %[2]s, to paste (the first line uses up the link above):
  curl -s %[1]s/v1/passwords -H 'Content-Type: application/json' -d '{"token":"%[3]s","email":"%[2]s","password":"%[4]s"}'
  TOKEN=$(curl -s %[1]s/v1/sessions -H 'Content-Type: application/json' -d '{"email":"%[2]s","password":"%[4]s"}' | sed 's/.*"token": *"\([^"]*\)".*/\1/')
  curl -s %[1]s/v1/me -H "Authorization: Bearer $TOKEN"
  curl -s '%[1]s/v1/deliveries?limit=2' -H "Authorization: Bearer $TOKEN"
  curl -s %[1]s/v1/progress -H "Authorization: Bearer $TOKEN"

Ctrl-C ends it; the next run finds its data again.
`, d.URL, d.curlEmail, d.curlToken.Reveal(), password)
}
