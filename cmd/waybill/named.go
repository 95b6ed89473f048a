package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"waybill/cmd/waybill/remote"
	"waybill/cmd/waybill/verb"
)

// name puts ids in the place of the names that were typed: where a verb takes the
// id of something of which the server has a list, its name in that list does as
// well.
func (a *asking) name(ctx context.Context) error {
	for _, in := range a.v.Inputs {
		if in.Thing == "" {
			continue
		}
		list, _ := a.all.find(in.Thing + " list")
		values := slices.Clone(a.given.Values[in.Name])
		for i, value := range values {
			if _, err := uuid.Parse(value); err == nil || value == "" || in.In == "query" && value == nothing {
				continue
			}
			id, err := a.named(ctx, in, list, value)
			if err != nil {
				return err
			}
			values[i] = id
		}
		if values != nil {
			a.given.Values[in.Name] = values
		}
	}
	return nil
}

// nothing as the value of a filter asks for what has none.
const nothing = "none"

// named returns the id of the one thing in a list that has a name.
func (a *asking) named(ctx context.Context, in verb.Input, list verb.Verb, name string) (string, error) {
	query := url.Values{"limit": {"200"}}
	for _, member := range list.Route.Names {
		if list.Takes("query", member) {
			query.Set(member, name)
		}
	}
	var found []string
	for path := list.Route.Path + "?" + query.Encode(); path != ""; {
		page, next, err := a.page(ctx, path)
		if err != nil {
			return "", err
		}
		rows, _ := verb.Rows(page)
		for _, row := range rows {
			if slices.ContainsFunc(list.Route.Names, func(member string) bool { return strings.EqualFold(verb.Member(row, member), name) }) {
				found = append(found, verb.Member(row, "id"))
			}
		}
		path = next
	}
	switch len(found) {
	case 0:
		return "", &serverError{code: exitInput, text: fmt.Sprintf("%s: %s: you see no %s called %q; waybill %s tells them", a.v, in.Typed(), in.Thing, name, list)}
	case 1:
		return found[0], nil
	}
	more := ""
	if n := len(found) - namesShown; n > 0 {
		found, more = found[:namesShown], fmt.Sprintf(" and %d more", n)
	}
	return "", &verb.UsageError{Verb: a.v.String(), Text: fmt.Sprintf("%s: several are called %q; say which by its id: %s%s", in.Typed(), name, strings.Join(found, ", "), more)}
}

// namesShown is how many things of one name an error tells.
const namesShown = 5

// page returns a page of a list and the path of the next one.
func (a *asking) page(ctx context.Context, path string) (jsontext.Value, string, error) {
	answer, err := a.client.Do(ctx, remote.Request{Method: http.MethodGet, Path: path})
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, "", fmt.Errorf("read a list: %w", err)
	}
	return text, a.client.Next(answer), nil
}
