package main

import (
	"io"

	"waybill/cmd/waybill/remote"
)

// keyFlags say as whom a server is asked.
type keyFlags struct {
	APIKey       string `name:"api-key" group:"server" placeholder:"KEY" help:"An API key. Others on this machine can see it on a command line: better give it as WAYBILL_API_KEY or in a file. Default: who signed in with waybill login."`
	APIKeyFile   string `name:"api-key-file" group:"server" placeholder:"FILE" help:"A file whose first line is an API key; - is standard input."`
	InsecureHTTP bool   `name:"insecure-http" group:"server" help:"Send keys and passwords over plain HTTP to another machine, where everybody on the way can read them."`
}

// serverKeyFlags say which server is asked, and as whom.
type serverKeyFlags struct {
	Server string `default:"http://127.0.0.1:8080" group:"server" placeholder:"URL" help:"The server to ask (${default})."`
	keyFlags
}

// elsewhereFlags are serverKeyFlags of verbs that do without a server as well.
type elsewhereFlags struct {
	Server string `group:"server" placeholder:"URL" help:"Have this server do it. Default: what is in the data directory is used, also beside a running server."`
	keyFlags
}

// answerFlags say how an answer is told.
type answerFlags struct {
	JSON  bool   `name:"json" env:"-" group:"answer" help:"The answer as the server gave it, as JSON."`
	Field string `env:"-" group:"answer" placeholder:"MEMBER" help:"Only this member of the answer, or of every row of a list, such as id."`
}

// client returns a client for the server. Whoever is signed in there is asked as,
// unless there is a key. sensitive says that secrets are sent also without one.
func (f keyFlags) client(m *Main, server string, sensitive bool) (*remote.Client, error) {
	server, err := remote.Normal(server)
	if err != nil {
		return nil, err
	}
	text := f.APIKey
	if f.APIKeyFile != "" {
		if text, err = remote.ReadLine("--api-key-file", f.APIKeyFile, m.stdin()); err != nil {
			return nil, err
		}
	}
	if text == "" {
		logins, err := remote.NewStore(m.Settings)
		if err != nil {
			return nil, err
		}
		login, _, err := logins.Of(server)
		if err != nil {
			return nil, err
		}
		text = login.Token
	}
	key, err := remote.NewSecret(text)
	if err != nil {
		return nil, err
	}
	return remote.New(remote.Config{Server: server, Key: key, Sensitive: sensitive, Insecure: f.InsecureHTTP, Agent: agent()})
}

// agent is what servers are told of the program.
func agent() string { return "waybill/" + version() }

// stdin is what is piped in; nothing when nothing is.
func (m *Main) stdin() io.Reader {
	if m.Stdin == nil {
		return eof{}
	}
	return m.Stdin
}

// eof is an input at its end.
type eof struct{}

// Read implements io.Reader.
func (eof) Read([]byte) (int, error) { return 0, io.EOF }
