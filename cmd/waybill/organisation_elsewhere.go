package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"waybill/aggregates/commandapi"
	"waybill/cmd/waybill/verb"
)

// ask has a server make the organisation.
func (c *organisationCreateCmd) ask(ctx context.Context, m *Main, all verbs) error {
	v, _ := all.find("organisation create")
	given := verb.Given{Values: map[string][]string{
		"name": {c.Name}, "owner-name": {c.OwnerName}, "owner-email": {c.OwnerEmail}, "kind": {c.Kind}, "timezone": {c.Timezone},
	}}
	if c.SetupToken == "" {
		return &usageError{errors.New("only who has the set-up token of a server makes organisations there: give it as WAYBILL_SETUP_TOKEN")}
	}
	given.Values["setup-token"] = []string{c.SetupToken}
	var out commandapi.OrganisationMade
	if _, err := c.elsewhere(ctx, m, v, given, nil, &out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(m.Stdout, "organisation %s %q\nowner %s, who is invited\nIts Group field is off; the owner turns it on with waybill organisation group-field on --server %s\n",
		out.ID, c.Name, c.OwnerEmail, c.Server)
	return err
}

// ask has a server turn the Group field on or off.
func (c *groupFieldCmd) ask(ctx context.Context, m *Main, all verbs) error {
	if c.Organisation != "" {
		return &usageError{errors.New("--organisation is for the data directory; a server knows the organisation by who asks it")}
	}
	v, _ := all.find("organisation group-field")
	var out commandapi.Done
	given := verb.Given{Values: map[string][]string{"enabled": {strconv.FormatBool(c.Setting == "on")}}}
	if _, err := c.elsewhere(ctx, m, v, given, nil, &out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(m.Stdout, "the Group field is %s\n", c.Setting)
	return err
}
