// Command readymade is a webhook for benchmarks that answers each admission request
// with the same patch, so that only the API server's call is measured. It reads the
// patch, or null, from standard input, writes its URL and its CA certificate to
// standard output, and exits at the end of its input.
package main

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
)

func main() {
	var patch json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&patch); err != nil {
		log.Fatal(err)
	}
	server := httptest.NewTLSServer(answer(patch))
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"url": server.URL, "ca": ca}); err != nil {
		log.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

type review struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Request    *struct {
		UID string `json:"uid"`
	} `json:"request,omitempty"`
	Response *response `json:"response,omitempty"`
}

type response struct {
	UID       string `json:"uid"`
	Allowed   bool   `json:"allowed"`
	Patch     []byte `json:"patch,omitempty"`
	PatchType string `json:"patchType,omitempty"`
}

func answer(patch json.RawMessage) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body review
		text, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(text, &body)
		}
		if err != nil || body.Request == nil {
			http.Error(w, "not an admission review", http.StatusBadRequest)
			return
		}
		body.Response = &response{UID: body.Request.UID, Allowed: true}
		if string(patch) != "null" {
			body.Response.Patch, body.Response.PatchType = patch, "JSONPatch"
		}
		body.Request = nil
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	}
}
