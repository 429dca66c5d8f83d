package e2e

import (
	"context"

	"github.com/podsecrets/podsecrets/secret"
)

// sharedToken is the global.Source that has what the replicas have.
type sharedToken struct{}

func (sharedToken) Lookup(_ context.Context, req secret.Request) (string, error) {
	if variable, _ := names(nil, req.Group, "", req.Key); variable != "_FSEC_SHARED_TOKEN" {
		return "", secret.ErrNotFound
	}
	return shared, nil
}
