package commandapi

import (
	"net/http"

	"waybill/aggregates/access"
	"waybill/aggregates/problem"
)

// try limits how often somebody may guess. It is asked before anything is looked
// up, and answers the same whether or not there is such an account.
func (a *api) try(r *http.Request, kind, email string) (access.Try, error) {
	t, wait := a.cfg.Access.Attempt(kind, access.SourceOf(r).IP, email)
	if wait > 0 {
		return t, &problem.HTTPError{Status: http.StatusTooManyRequests, Code: "too-many-tries", RetryAfter: wait,
			Detail: "There were too many failed tries. Wait for as many seconds as the header Retry-After says."}
	}
	return t, nil
}
