package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"waybill/cmd/waybill/verb"
)

// matchFlag is the input that says at which revision one saw what is changed.
const matchFlag = "if-match"

// match reads --if-match: a revision, or the word current. A command that would be
// dangerous blindly is not given without, and whoever does learns at which
// revision the thing is.
func (a *asking) match(ctx context.Context) error {
	if !a.v.Takes("header", "If-Match") {
		return nil
	}
	given := strings.Trim(strings.Join(a.given.Values[matchFlag], ""), `"`)
	if revision, err := strconv.ParseUint(given, 10, 64); err == nil {
		a.given.Values[matchFlag] = []string{strconv.Quote(strconv.FormatUint(revision, 10))}
		return nil
	}
	if given != "" && given != "current" {
		return &verb.UsageError{Verb: a.v.String(), Text: "--if-match takes the revision that you saw, such as 7, or the word current"}
	}
	show, ok := a.shows()
	if !ok {
		return &verb.UsageError{Verb: a.v.String(), Text: "--if-match REVISION missing"}
	}
	request, err := show.Request(verb.Given{Values: a.given.Values})
	if err != nil {
		return err
	}
	answer, err := a.client.Do(ctx, request)
	if err != nil {
		return err
	}
	tag := answer.Header.Get("ETag")
	if err := answer.Body.Close(); err != nil {
		return err
	}
	revision := strings.Trim(tag, `"`)
	if given == "current" {
		fmt.Fprintf(a.m.Stderr, "waybill: changing revision %s\n", revision)
		a.given.Values[matchFlag] = []string{tag}
		return nil
	}
	id := a.given.Values[show.Inputs[0].Name][0]
	return &verb.UsageError{Verb: a.v.String(), Text: fmt.Sprintf("it replaces what is there, so say what you saw, lest somebody else's change is lost. "+
		"It is at revision %s now: look (waybill %s %s), then add --if-match %s, or --if-match current", revision, show, id, revision)}
}

// shows returns the verb that shows what this one changes.
func (a *asking) shows() (verb.Verb, bool) {
	var best verb.Verb
	for _, v := range a.all {
		path := v.Route.Path
		if v.Route.Method == http.MethodGet && len(v.Inputs) > 0 && strings.HasSuffix(path, "}") && strings.HasPrefix(a.v.Route.Path+"/", path+"/") && len(path) > len(best.Route.Path) {
			best = v
		}
	}
	return best, best.Noun != ""
}
