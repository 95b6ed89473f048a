package verb

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"waybill/aggregates/access/route"
)

// Kind is what an input looks like on the command line.
type Kind int

// The kinds of input.
const (
	Text    Kind = iota // one value
	Switch              // there or not
	List                // values: repeated, or divided by commas
	Objects             // repeated: member=value,member=value, or a JSON object
	Map                 // repeated: name=value
	Secret              // nothing that is typed on a command line: asked for, or read from a file
)

// Input is one thing that a verb takes.
type Input struct {
	Name     string   // of the flag or the argument, such as "group-name"
	Alias    string   // another name of the flag; empty = none
	In       string   // "path", "query", "header" or "body"
	Path     []string // the parameter's name, or the path of the member in the body
	Kind     Kind
	Arg      bool // an argument instead of a flag
	Required bool
	Said     bool // what every command may say besides what it asks for
	ID       bool // the id of something
	Enum     []string
	Help     string // sentences
	Hint     string // what stands for the value in --help, such as "ID"
	Thing    string // what it is the id of when that has names, such as "group"; empty = only ids do

	of     reflect.Type // of the value, or of one element; nil = text
	quoted bool         // a number that travels as text
}

// Typed returns the input as one types it: "--group-name", or "<user>".
func (in Input) Typed() string {
	switch {
	case in.Arg:
		return "<" + in.Name + ">"
	case in.Kind == Secret:
		return "--" + in.Name + "-file"
	}
	return "--" + in.Name
}

// inputs returns what a route takes, arguments first.
func inputs(r route.Route) ([]Input, error) {
	var args, flags []Input
	for _, name := range r.PathParams() {
		in := Input{Name: r.Kind(name), In: "path", Path: []string{name}, Arg: true, Required: true, Help: "Its code."}
		if r.Identifies(name) {
			in.Thing = in.Name
			in.ID, in.Help = true, "The "+strings.ReplaceAll(in.Name, "-", " ")+"."
		}
		args = append(args, in)
	}
	for _, p := range r.Params {
		flags = append(flags, param(p))
	}
	if r.Body != nil {
		eachMember(r.Body, nil, !r.Bodyless, func(in Input) {
			if at := slices.Index(r.Args, strings.Join(in.Path, ".")); at >= 0 {
				in.Arg = true
			}
			if in.Arg {
				args = append(args, in)
			} else {
				flags = append(flags, in)
			}
		})
	}
	if want := len(r.PathParams()) + len(r.Args); len(args) != want {
		return nil, fmt.Errorf("%d arguments are declared and %d found: %v", want, len(args), r.Args)
	}
	return append(args, flags...), nil
}

// param is a query or header parameter as a flag.
func param(p route.Param) Input {
	name := p.Name
	if p.In == "header" {
		name = strings.ToLower(strings.TrimPrefix(name, "Waybill-"))
	}
	in := Input{Name: dashed(name), In: p.In, Path: []string{p.Name}, Enum: p.Enum, Help: first(p.Summary), Hint: capital(dashed(name)), ID: p.Format == "uuid", Thing: p.Kind}
	if in.Thing == "" && p.In == "query" {
		in.Thing = p.Name
	}
	switch {
	case slices.Equal(p.Enum, []string{"true", "false"}):
		in.Kind, in.Enum = Switch, nil
	case p.Format == "uuid":
		in.Hint = "ID"
	case p.Format == "date":
		in.Hint = "DAY"
	}
	return in
}

// eachMember calls found for every member of a body, those of members that are
// objects in their place.
func eachMember(t reflect.Type, under []string, required bool, found func(Input)) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("json")
		if !ok || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if options == "inline" {
			eachMember(f.Type, under, required, found)
			continue
		}
		typ := f.Type
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		in := Input{In: "body", Path: append(slices.Clip(under), name), Required: required && !strings.Contains(options, "omit"),
			Help: f.Tag.Get("doc"), of: typ, quoted: strings.Contains(options, "string")}
		if enum := f.Tag.Get("enum"); enum != "" {
			in.Enum = strings.Split(enum, ",")
		}
		if object(typ) {
			eachMember(typ, in.Path, in.Required, found)
			continue
		}
		in = in.described(f.Tag.Get("secret") != "")
		if in.ID {
			in.Thing = cmp.Or(f.Tag.Get("kind"), route.Singular(name))
		}
		found(in)
	}
}

// object reports whether a type is an object with members of its own.
func object(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]()
}

// described completes what follows from path and type.
func (in Input) described(secret bool) Input {
	in.Name = dashed(strings.Join(in.Path, "-"))
	in.Said = in.Path[0] == "reason" || in.Path[0] == "approval"
	switch in.of.Kind() {
	case reflect.Bool:
		in.Kind = Switch
	case reflect.Map:
		in.Kind, in.of = Map, in.of.Elem()
	case reflect.Slice, reflect.Array:
		if in.of == reflect.TypeFor[uuid.UUID]() || in.of == reflect.TypeFor[jsontext.Value]() {
			break
		}
		in.Kind, in.of = List, in.of.Elem()
		if object(in.of) {
			in.Kind = Objects
		}
	default:
	}
	if in.Kind == List || in.Kind == Objects || in.Kind == Map {
		if one := route.Singular(in.Name); one != in.Name {
			in.Name, in.Alias = one, in.Name
		}
	}
	if secret {
		in.Kind = Secret
	}
	in.ID = in.of == reflect.TypeFor[uuid.UUID]()
	if in.Help == "" {
		words := strings.ReplaceAll(in.Name, "-", " ")
		in.Help = strings.ToUpper(words[:1]) + words[1:] + "."
	}
	in.Hint = in.hint()
	return in
}

func (in Input) hint() string {
	switch {
	case in.Kind == Objects:
		return "MEMBER=VALUE,..."
	case in.Kind == Map:
		return "NAME=VALUE"
	case in.Kind == Secret:
		return "FILE"
	case in.of == reflect.TypeFor[uuid.UUID]():
		return "ID"
	case in.of == reflect.TypeFor[time.Time]():
		return "TIME"
	}
	return capital(in.Name)
}

// capital is what stands for text in --help: the name when it is one word.
func capital(name string) string {
	if strings.Contains(name, "-") {
		return "TEXT"
	}
	return strings.ToUpper(name)
}

// first returns the first sentence of a description.
func first(text string) string {
	if at := strings.Index(text, ". "); at >= 0 {
		return text[:at+1]
	}
	return text
}

func dashed(name string) string { return strings.ReplaceAll(name, "_", "-") }

// Described is the help of an input with all that it may be.
func (in Input) Described() string {
	text := in.Help
	if in.Kind == Objects {
		var names []string
		for i := range in.of.NumField() {
			name, _, _ := strings.Cut(in.of.Field(i).Tag.Get("json"), ",")
			names = append(names, name)
		}
		text += " Members: " + strings.Join(names, ", ") + "; as name=value with commas between, or as a JSON object. Repeat for more."
	}
	switch {
	case in.Kind == List:
		text += " Repeat it, or put commas between, for more."
	case in.Kind == Map && in.of.Kind() == reflect.Bool:
		text += " Values are true and false. Repeat for more."
	case in.Kind == Map:
		text += " Repeat for more."
	case in.of == reflect.TypeFor[time.Time]():
		text += " Such as 2026-03-31T09:30:00Z."
	}
	if in.Enum != nil {
		text += " One of: " + strings.Join(in.Enum, ", ") + "."
	}
	if in.Required && !in.Arg {
		text += " Required."
	}
	return text
}
