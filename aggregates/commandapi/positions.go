package commandapi

import (
	"context"
	"net/http"
	"time"

	"waybill/aggregates/access"
	"waybill/aggregates/access/route"
	"waybill/aggregates/telemetry"
)

// Positions is a batch of a vehicle's positions.
type Positions struct {
	Said      `json:",inline"`
	Positions []Position `json:"positions" doc:"In any order, at most 1000."`
}

// Position is where a vehicle was, and how it moved.
type Position struct {
	At        time.Time `json:"at"`
	Latitude  float64   `json:"latitude" doc:"Degrees, WGS 84."`
	Longitude float64   `json:"longitude" doc:"Degrees."`
	Speed     *float64  `json:"speed,omitzero" doc:"km/h."`
	Heading   *float64  `json:"heading,omitzero" doc:"Degrees, clockwise from north."`
}

// PositionsTaken is the answer to a batch.
type PositionsTaken struct {
	Taken int `json:"taken" doc:"How many were new."`
}

// positionRoutes are there when positions are kept.
func (a *api) positionRoutes() []route.Route {
	if a.cfg.Positions == nil {
		return nil
	}
	return []route.Route{
		on(a, spec{method: http.MethodPost, path: "/v1/vehicles/{id}/positions", name: "recordPositions", verb: "vehicle report-positions", needs: access.SetOf(access.ManageVehicles),
			example: Positions{Positions: []Position{{At: sampleTime(), Latitude: 52.5, Longitude: 13.4}}}, answer: PositionsTaken{},
			summary: "Tell where a vehicle was, in batches. The latest position and a bounded trail are kept."},
			func(ctx context.Context, c call, in Positions) (outcome, error) {
				id, err := c.id("id")
				if err != nil {
					return outcome{}, err
				}
				if err := a.cfg.Commands.MayReportPositions(ctx, c.caller, id); err != nil {
					return outcome{}, err
				}
				batch := make([]telemetry.Position, len(in.Positions))
				for i, p := range in.Positions {
					batch[i] = telemetry.Position(p)
				}
				taken, err := a.cfg.Positions.Record(ctx, c.caller.Org, id, batch)
				return outcome{answer: PositionsTaken{taken}}, err
			}),
	}
}
