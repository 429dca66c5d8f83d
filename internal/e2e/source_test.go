package e2e

import (
	"context"

	"github.com/podsecrets/podsecrets/secret"
)

// sharedToken is a global.Source with the replicas' global secret.
type sharedToken struct{}

func (sharedToken) Lookup(_ context.Context, req secret.Request) (string, error) {
	if variable, _ := names(nil, req.Group, "", req.Key); variable != "_FSEC_SHARED_TOKEN" {
		return "", secret.ErrNotFound
	}
	return shared, nil
}
