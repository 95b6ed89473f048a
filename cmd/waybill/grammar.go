package main

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"waybill/aggregates/access/route"
	"waybill/aggregates/commandapi"
	"waybill/cmd/waybill/verb"
	"waybill/readapi"
)

// verbs are what the program asks a server for: one verb for each route, made
// from its declaration.
type verbs []verb.Verb

// declared returns the verbs of all routes. When words are given, only the verbs
// of the nouns among them are whole, which is what one run of the program needs.
func declared(words ...string) (verbs, error) {
	routes := slices.Concat(commandapi.Declared(), readapi.Declared(), []route.Route{route.Own()})
	return verb.All(routes, words...)
}

// own reports whether a route has a command of its own, that does more than ask
// for it.
func own(v verb.Verb) bool {
	switch v.String() {
	case "login", "logout", "import", "organisation create", "organisation group-field":
		return true
	}
	return false
}

// find returns the verb that is typed like this.
func (all verbs) find(typed string) (verb.Verb, bool) {
	for _, v := range all {
		if v.String() == typed {
			return v, true
		}
	}
	return verb.Verb{}, false
}

// about is what the nouns are, for waybill --help.
func about(noun string, of []verb.Verb) string {
	switch noun {
	case "access-request":
		return "Requests for sight of a group: make, approve, deny them."
	case "api-key":
		return "Your own keys for machines."
	case "client":
		return "Clients: add, invite, give accounts, assign dispatchers."
	case "customer-code":
		return "Customer codes of delivery files, and the groups that they stand for."
	case "delivery":
		return "Deliveries: find, create, tag, and everything that happens to them."
	case "group":
		return "Groups of deliveries, and who sees them."
	case "password":
		return "Set a password with a one-time link."
	case "server":
		return "How the server is, and what it offers."
	case "session":
		return "Where you are signed in."
	case "user":
		return "Users: invite, list, block, change roles and access."
	case "vehicle":
		return "Vehicles, and where they are."
	case "whoami":
		return "Who you are to the server, and what you may."
	}
	names := make([]string, len(of))
	for i, v := range of {
		names[i] = v.Name
	}
	return strings.ToUpper(noun[:1]) + noun[1:] + ": " + strings.Join(names, ", ") + "."
}

// plugins returns the grammar of all nouns but those in except, which have a place
// of their own. Only the nouns that are typed get their verbs: the rest of the
// program need not wait for them.
func (all verbs) plugins(args []string, except ...string) kong.Plugins {
	var nouns []string
	for _, v := range all {
		if !own(v) && !slices.Contains(nouns, v.Noun) && !slices.Contains(except, v.Noun) {
			nouns = append(nouns, v.Noun)
		}
	}
	slices.Sort(nouns)
	fields := make([]reflect.StructField, len(nouns))
	for i, noun := range nouns {
		of := all.of(noun)
		fields[i] = reflect.StructField{Name: "Noun" + strconv.Itoa(i), Type: reflect.TypeFor[struct{}](),
			Tag: tag("cmd", "", "name", noun, "group", "ask", "help", about(noun, of))}
		switch {
		case !slices.Contains(args, noun):
		case len(of) == 1 && of[0].Name == "":
			fields[i].Type = grammarOf(of[0])
		default:
			fields[i].Type = reflect.StructOf(commands(of))
		}
	}
	return kong.Plugins{reflect.New(reflect.StructOf(fields)).Interface()}
}

// of returns the verbs of a noun that have no command of their own.
func (all verbs) of(noun string) []verb.Verb {
	var list []verb.Verb
	for _, v := range all {
		if v.Noun == noun && !own(v) {
			list = append(list, v)
		}
	}
	// Who looks for something looks first at what is there.
	slices.SortStableFunc(list, func(x, y verb.Verb) int { return cmp.Compare(rank(x), rank(y)) })
	return list
}

func rank(v verb.Verb) int {
	if changes(v) {
		return 1
	}
	return 0
}

// within returns the grammar of a noun's verbs, for a command that has others.
func (all verbs) within(noun string) kong.Plugins {
	return kong.Plugins{reflect.New(reflect.StructOf(commands(all.of(noun)))).Interface()}
}

func commands(of []verb.Verb) []reflect.StructField {
	fields := make([]reflect.StructField, len(of))
	for i, v := range of {
		fields[i] = reflect.StructField{Name: "Verb" + strconv.Itoa(i), Type: grammarOf(v), Tag: tag("cmd", "", "name", v.Name, "group", "verbs", "help", v.Route.Summary)}
	}
	return fields
}

// Names of the fields of a verb's grammar that are not inputs.
const (
	fieldServer = "Server"
	fieldAnswer = "Answer"
	fieldAll    = "All"
	fieldWait   = "Wait"
	fieldBody   = "Body"
	fieldFile   = "File"
)

// grammarOf returns the type of what kong fills for a verb.
func grammarOf(v verb.Verb) reflect.Type {
	var fields []reflect.StructField
	add := func(name string, t reflect.Type, pairs ...string) {
		fields = append(fields, reflect.StructField{Name: name, Type: t, Tag: tag(pairs...)})
	}
	for i, in := range v.Inputs {
		name, help := "Input"+strconv.Itoa(i), strings.ReplaceAll(in.Described(), "$", "$$")
		if in.Arg {
			add(name, reflect.TypeFor[string](), "arg", "", "name", in.Name, "help", help)
			continue
		}
		pairs := []string{"name", in.Name, "env", "-", "help", help, "placeholder", in.Hint}
		t := reflect.TypeFor[*string]()
		switch in.Kind {
		case verb.Switch:
			t = reflect.TypeFor[*bool]()
		case verb.List:
			t = reflect.TypeFor[[]string]()
		case verb.Objects, verb.Map:
			t = reflect.TypeFor[[]string]()
			pairs = append(pairs, "sep", "none")
		case verb.Secret:
			pairs[1] += "-file"
			pairs[5] += " Read from this file, or from standard input (-); asked for when not given."
		default:
		}
		if in.Alias != "" {
			pairs = append(pairs, "aliases", in.Alias)
		}
		if in.Said {
			pairs = append(pairs, "group", "said")
		}
		if in.In == "header" {
			pairs = append(pairs, "group", "request")
		}
		add(name, t, pairs...)
	}
	if v.Route.Body != nil {
		add(fieldBody, reflect.TypeFor[string](), "name", "json-body", "env", "-", "group", "request", "placeholder", "FILE",
			"help", "Take the body from this file, or from standard input (-): a JSON object, to which flags add.")
	}
	if changes(v) {
		add(fieldWait, reflect.TypeFor[bool](), "env", "-", "group", "request", "help", "Return only when lists show what was done.")
	}
	if v.Listed() {
		add(fieldAll, reflect.TypeFor[bool](), "env", "-", "group", "answer", "help", "All pages, one after the other; with --json one object per line.")
	}
	if v.Route.Answer == nil && !changes(v) {
		add(fieldFile, reflect.TypeFor[string](), "name", "output", "short", "o", "env", "-", "group", "answer", "placeholder", "FILE", "help", "Write the answer to this file.")
	}
	add(fieldAnswer, reflect.TypeFor[answerFlags](), "embed", "")
	add(fieldServer, reflect.TypeFor[serverKeyFlags](), "embed", "")
	return reflect.StructOf(fields)
}

// changes reports whether a verb is a command.
func changes(v verb.Verb) bool { return v.Route.Method != "GET" }

// tag writes a struct's tag.
func tag(pairs ...string) reflect.StructTag {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s:%s", pairs[i], strconv.Quote(pairs[i+1]))
	}
	return reflect.StructTag(b.String())
}

// explained completes the help of the verbs of the nouns that are typed, by an
// example and by what they need.
func (all verbs) explained(args []string) kong.Option {
	return kong.PostBuild(func(k *kong.Kong) error {
		return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
			n, ok := node.(*kong.Node)
			if !ok || n.Type != kong.CommandNode {
				return next(nil)
			}
			noun, _, _ := strings.Cut(typed(n), " ")
			if !slices.Contains(args, noun) {
				return next(nil)
			}
			var err error
			if v, ok := all.find(typed(n)); ok && !own(v) {
				n.Detail, err = detail(v)
			} else if of := all.of(typed(n)); len(of) > 0 {
				n.Detail, err = example(of[0])
			} else if line := staticExample(typed(n)); line != "" {
				n.Detail = strings.TrimSpace(n.Detail + "\n\n" + exampleTitle + line)
			}
			return next(err)
		})
	})
}

// typed returns a command's words.
func typed(n *kong.Node) string {
	var words []string
	for ; n != nil && n.Type == kong.CommandNode; n = n.Parent {
		words = append(words, n.Name)
	}
	slices.Reverse(words)
	return strings.Join(words, " ")
}

func detail(v verb.Verb) (string, error) {
	shown, err := example(v)
	text := ""
	if v.Route.Needs != 0 {
		text = "Needs the permission " + strings.Join(v.Route.Needs.Names(), " and ")
		if v.Route.Own {
			text += ", but for oneself"
		}
		text += ". "
	}
	if v.Route.Personal {
		text += "Needs you to be signed in: API keys are refused. "
	}
	return text + "Over HTTP it is " + v.Route.Method + " " + v.Route.Path + ".\n\n" + shown, err
}

// exampleTitle stands before an example; the space makes it a block of its own.
const exampleTitle = "Example:\n\n    waybill "

func example(v verb.Verb) (string, error) {
	words, err := v.Example()
	if err != nil {
		return "", fmt.Errorf("the example of %s: %w", v, err)
	}
	return exampleTitle + verb.Shell(words), nil
}

// staticExample is the example of a command that is not made of a route.
func staticExample(words string) string {
	switch words {
	case "serve":
		return "serve --listen 127.0.0.1:8080 --data /var/lib/waybill"
	case "demo":
		return "demo --exit"
	case "import":
		return "import export.xlsx --create-groups --column group='project code'"
	case "sign-in-link":
		return "sign-in-link adam@example.com"
	case "migrate", "rebuild", "permissions", "version", "logout", "status":
		return words
	case "consumer", "consumer pause":
		return "consumer pause mail --reason 'The mail server moves'"
	case "consumer resume":
		return "consumer resume mail"
	case "eventstore", "eventstore run":
		return "eventstore --data /var/lib/waybill-events"
	case "eventstore verify":
		return "eventstore verify --data waybill-data/events"
	case "eventstore backup":
		return "eventstore backup /backups/today --data waybill-data/events"
	case "eventstore scavenge":
		return "eventstore scavenge --data waybill-data/events"
	case "mail", "mail list":
		return "mail"
	case "mail show", "mail retry":
		return words + " 0b9c2a5e-7d1f-4c3a-9e8b-6f5d4c3b2a19"
	case "login":
		return "login adam@example.com"
	case "organisation create":
		return "organisation create 'My Company' --owner-name Me --owner-email me@example.com"
	case "organisation group-field":
		return "organisation group-field on"
	}
	return ""
}
