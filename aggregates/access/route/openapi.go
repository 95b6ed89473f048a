package route

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// object is a JSON object on its way into the document.
type object map[string]any

// Document returns the OpenAPI 3.1 document of the routes, always the same bytes
// for the same routes.
func Document(title, version string, routes []Route) ([]byte, error) {
	paths := object{}
	for _, rt := range routes {
		path := rt.openPath()
		item, ok := paths[path].(object)
		if !ok {
			item = object{}
			paths[path] = item
		}
		method := strings.ToLower(rt.Method)
		if _, twice := item[method]; twice {
			return nil, fmt.Errorf("route: %s %s is declared twice", rt.Method, path)
		}
		item[method] = rt.operation()
	}
	doc := object{
		"openapi": "3.1.0",
		"info":    object{"title": title, "version": version},
		"paths":   paths,
		"components": object{
			"securitySchemes": object{
				schemeSession: object{"type": "http", "scheme": "bearer", "description": "The token of a session, from POST /v1/sessions."},
				schemeAPIKey:  object{"type": "http", "scheme": "bearer", "bearerFormat": "wbk_...", "description": "An API key, from POST /v1/api-keys. It acts on behalf of who made it, and may no more than they."},
			},
			"schemas": object{"Problem": problemSchema()},
		},
	}
	out, err := json.Marshal(doc, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	return append(out, '\n'), nil
}

func (r Route) operation() object {
	op := object{"operationId": r.Name, "summary": r.Summary}
	var params []object
	for _, name := range r.PathParams() {
		p := object{"in": "path", "name": name, "required": true, "schema": object{"type": "string"}}
		if p["example"] = r.Sample(name); r.Identifies(name) {
			p["schema"] = object{"type": "string", "format": "uuid"}
		}
		params = append(params, p)
	}
	for _, p := range r.Params {
		schema := object{"type": "string"}
		if p.Format != "" {
			schema["format"] = p.Format
		}
		if p.Enum != nil {
			schema["enum"] = p.Enum
		}
		param := object{"in": p.In, "name": p.Name, "description": p.Summary, "schema": schema}
		if p.Example != "" {
			param["example"] = p.Example
		}
		params = append(params, param)
	}
	if params != nil {
		op["parameters"] = params
	}
	switch {
	case r.Body != nil:
		content := object{"schema": said(schemaOf(r.Body))}
		if r.Example != nil {
			content["example"] = r.Example
		}
		op["requestBody"] = object{"required": !r.Bodyless, "content": object{"application/json": content}}
	case r.Media != "":
		op["requestBody"] = object{"required": true, "content": object{r.Media: object{}}}
	}
	good := object{"description": "It went well."}
	if r.Answer != nil {
		good["content"] = object{"application/json": object{"schema": schemaOf(r.Answer)}}
	}
	if len(r.Files) > 0 {
		files := object{}
		for _, media := range r.Files {
			files[media] = object{}
		}
		good["content"] = files
	}
	failed := object{"description": "A problem (RFC 9457).", "content": object{
		"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/Problem"}}}}
	responses := object{strconv.Itoa(r.Status): good, "default": failed}
	for status, answer := range r.Others {
		responses[strconv.Itoa(status)] = object{"description": http.StatusText(status) + ".", "content": object{"application/json": object{"schema": schemaOf(answer)}}}
	}
	op["responses"] = responses
	switch {
	case r.Public:
	case r.Personal:
		op["security"] = []object{{schemeSession: []string{}}}
		op["description"] = "For people, with a session: API keys are refused."
	default:
		op["security"] = []object{{schemeSession: []string{}}, {schemeAPIKey: []string{}}}
	}
	if r.Needs != 0 {
		op["x-waybill-needs"] = r.Needs.Names()
	}
	if r.Own {
		op["description"] = "For oneself no permission is needed."
		op["x-waybill-needs-for"] = "others"
	}
	return op
}

// The ways to say who calls.
const (
	schemeSession = "session"
	schemeAPIKey  = "apiKey"
)

func problemSchema() object {
	text := object{"type": "string"}
	return object{"type": "object", "required": []string{"type", "title", "status"}, "properties": object{
		"type": object{"type": "string", "format": "uri"}, "title": text, "status": object{"type": "integer"},
		"detail": text, "instance": text,
		"errors": object{"type": "array", "items": object{"type": "object", "properties": object{"field": text, "detail": text}}},
	}}
}

// schemaOf turns a Go type into a JSON Schema, by the same tags that the codec
// goes by.
func schemaOf(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[uuid.UUID]():
		return object{"type": "string", "format": "uuid"}
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[jsontext.Value]():
		return object{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice, reflect.Array:
		return object{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Struct:
		return structSchema(t)
	default:
		return object{}
	}
}

func structSchema(t reflect.Type) object {
	properties := object{}
	required := []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("json")
		if !ok || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if options == "inline" {
			inner := structSchema(f.Type)
			maps.Copy(properties, inner["properties"].(object))
			if names, ok := inner["required"].([]string); ok {
				required = append(required, names...)
			}
			continue
		}
		schema := schemaOf(f.Type)
		kept := !strings.Contains(options, "omit")
		if strings.Contains(options, "string") {
			schema = object{"type": "string", "pattern": "^-?[0-9]+$"}
		}
		if doc := f.Tag.Get("doc"); doc != "" {
			schema["description"] = doc
		}
		if f.Tag.Get("secret") != "" {
			schema["format"] = "password"
		}
		if enum := f.Tag.Get("enum"); enum != "" {
			schema["enum"] = strings.Split(enum, ",")
		}
		if kept && f.Type.Kind() == reflect.Pointer {
			schema = nullable(schema)
		}
		properties[name] = schema
		if kept {
			required = append(required, name)
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// said takes null from where a body would have it: a pointer that is required there
// must point at something.
func said(schema object) object {
	if both, ok := schema["type"].([]string); ok {
		schema["type"] = both[0]
	}
	if values, ok := schema["enum"].([]any); ok {
		schema["enum"] = values[1:]
	}
	if items, ok := schema["items"].(object); ok {
		said(items)
	}
	properties, _ := schema["properties"].(object)
	for _, p := range properties {
		said(p.(object))
	}
	return schema
}

// nullable lets null be in the place of a schema's type: a pointer that is always
// told is null when it points at nothing.
func nullable(schema object) object {
	kind, ok := schema["type"].(string)
	if !ok {
		return schema // it takes anything
	}
	schema["type"] = []string{kind, "null"}
	if values, ok := schema["enum"].([]string); ok {
		all := []any{nil}
		for _, v := range values {
			all = append(all, v)
		}
		schema["enum"] = all
	}
	return schema
}
