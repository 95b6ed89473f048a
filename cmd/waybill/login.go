package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"waybill/aggregates/commandapi"
	"waybill/cmd/waybill/remote"
)

// whereFlags say which server one signs in at.
type whereFlags struct {
	Server       string `default:"http://127.0.0.1:8080" group:"server" placeholder:"URL" help:"The server (${default})."`
	InsecureHTTP bool   `name:"insecure-http" group:"server" help:"Send passwords over plain HTTP to another machine, where everybody on the way can read them."`
}

// loginCmd signs in, and keeps the session for the verbs that ask this server.
type loginCmd struct {
	Email        string `arg:"" help:"Your e-mail."`
	PasswordFile string `env:"-" placeholder:"FILE" help:"Read the password from this file, or from standard input (-); asked for when not given."`
	Link         string `env:"-" placeholder:"LINK" help:"Use up a one-time link first, as waybill sign-in-link prints it: the password becomes the one that you give."`
	Organisation string `env:"-" placeholder:"ID" help:"The organisation to sign in to, for those who belong to several."`
	Portal       string `env:"-" placeholder:"PORTAL" help:"dispatcher for staff, client for clients. Default: the one of your role."`
	whereFlags
}

// Help completes --help.
func (*loginCmd) Help() string {
	return "The session is kept in logins.json in your settings, which only you can read, and ends by itself; waybill logout ends it now. " +
		"Machines take API keys instead: waybill api-key create."
}

// Run implements the verb.
func (c *loginCmd) Run(ctx context.Context, m *Main, all verbs) error {
	v, _ := all.find("login")
	in := commandapi.Credentials{Email: c.Email, Portal: c.Portal}
	if c.Organisation != "" {
		var err error
		if in.Organisation, err = uuid.Parse(c.Organisation); err != nil {
			return &usageError{fmt.Errorf("--organisation takes the id of an organisation, not %q", c.Organisation)}
		}
	}
	client, err := remote.New(remote.Config{Server: c.Server, Sensitive: true, Insecure: c.InsecureHTTP, Agent: agent()})
	if err != nil {
		return err
	}
	defer client.Close()
	logins, err := remote.NewStore(m.Settings)
	if err != nil {
		return err
	}
	before, _, err := logins.Of(client.Server())
	if err != nil {
		return err
	}
	if in.Password, err = m.secret(ctx, "password", c.PasswordFile, c.Link != ""); err != nil {
		return err
	}
	if c.Link != "" {
		if err := useLink(ctx, client, c.Link, in); err != nil {
			return explain(v, err)
		}
	}
	var opened commandapi.SessionOpened
	if err := post(ctx, client, "/v1/sessions", in, &opened); err != nil {
		return explain(v, err)
	}
	login := remote.Login{Email: c.Email, Token: opened.Token, ExpiresAt: opened.ExpiresAt}
	if err := logins.Put(client.Server(), &login); err != nil {
		return errors.Join(err, end(ctx, client.Server(), opened.Token, c.InsecureHTTP))
	}
	if before.Token != "" { // nobody has it any more; if it has ended already, so much the better
		_ = end(ctx, client.Server(), before.Token, c.InsecureHTTP)
	}
	fmt.Fprintf(m.Stdout, "signed in at %s as %s, until %s\n", client.Server(), c.Email, opened.ExpiresAt.Local().Format(time.RFC1123))
	return nil
}

// useLink sets the password with a one-time link. What holds the link can hold
// more: all that waybill sign-in-link prints.
func useLink(ctx context.Context, client *remote.Client, link string, in commandapi.Credentials) error {
	line, _, _ := strings.Cut(strings.TrimSpace(link), "\n")
	_, fragment, _ := strings.Cut(line, "#")
	values, err := url.ParseQuery(fragment)
	if err != nil || values.Get("token") == "" {
		return &usageError{errors.New("--link takes a one-time link, as waybill sign-in-link prints it")}
	}
	if values.Get("for") == "client" {
		return post(ctx, client, "/v1/client-invitations/accept", commandapi.ClientAcceptance{Token: values.Get("token"), Email: in.Email, Password: in.Password}, nil)
	}
	return post(ctx, client, "/v1/passwords", commandapi.NewPassword{Token: values.Get("token"), Email: in.Email, Password: in.Password}, nil)
}

// post sends a body and reads the answer into out, unless that is nil.
func post(ctx context.Context, client *remote.Client, path string, body, out any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	answer, err := client.Do(ctx, remote.Request{Method: http.MethodPost, Path: path, Body: bytes.NewReader(text), Media: "application/json"})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if out == nil {
		return nil
	}
	text, err = io.ReadAll(io.LimitReader(answer.Body, maxBody))
	if err == nil && json.Unmarshal(text, out) != nil {
		err = errors.New("the server's answer cannot be read")
	}
	return err
}

// end ends a session.
func end(ctx context.Context, server, token string, insecure bool) error {
	key, err := remote.NewSecret(token)
	if err != nil {
		return err
	}
	client, err := remote.New(remote.Config{Server: server, Key: key, Insecure: insecure, Agent: agent()})
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := client.Do(ctx, remote.Request{Method: http.MethodDelete, Path: "/v1/sessions/current"})
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// logoutCmd ends the session and forgets it.
type logoutCmd struct {
	Forget bool `env:"-" help:"Forget it here even when the server cannot be told."`
	whereFlags
}

// Run implements the verb.
func (c *logoutCmd) Run(ctx context.Context, m *Main, all verbs) error {
	server, err := remote.Normal(c.Server)
	if err != nil {
		return err
	}
	logins, err := remote.NewStore(m.Settings)
	if err != nil {
		return err
	}
	login, there, err := logins.Of(server)
	if err != nil {
		return err
	}
	if !there {
		return &serverError{text: "logout: nobody is signed in at " + server, code: exitInput}
	}
	err = end(ctx, server, login.Token, c.InsecureHTTP)
	var p *remote.ProblemError
	if errors.As(err, &p) && p.Status == http.StatusUnauthorized { // it has ended already
		err = nil
	}
	if err != nil && !c.Forget {
		v, _ := all.find("logout")
		return explain(v, err)
	}
	if err := logins.Put(server, nil); err != nil {
		return err
	}
	fmt.Fprintf(m.Stdout, "signed out at %s\n", server)
	return nil
}
