package commandapi

import (
	_ "embed"
	"net/http"

	"waybill/aggregates/access/route"
)

//go:embed page/set-password.html
var setPasswordPage []byte

//go:embed page/set-password.js
var setPasswordScript []byte

// pageRoutes are the tiny page on which a one-time link works in a browser. The
// token stands in the link's fragment, which browsers send to nobody.
func pageRoutes() []route.Route {
	return pages("setPassword", "/set-password", "The page behind a one-time link.", setPasswordPage, setPasswordScript)
}

// pages are a page and its script.
func pages(name, path, summary string, page, script []byte) []route.Route {
	const document, program = "text/html", "text/javascript"
	serve := func(contentType string, content []byte) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("Content-Type", contentType+"; charset=utf-8")
			h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
			_, _ = w.Write(content) // the caller may have gone away
		})
	}
	return []route.Route{
		{Method: http.MethodGet, Path: path, Name: name + "Page", Page: true, Summary: summary, Public: true,
			Status: http.StatusOK, Files: []string{document}, Handler: serve(document, page)},
		{Method: http.MethodGet, Path: path + ".js", Name: name + "Script", Page: true, Summary: "The script of that page.", Public: true,
			Status: http.StatusOK, Files: []string{program}, Handler: serve(program, script)},
	}
}
