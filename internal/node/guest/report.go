//go:build linux

package main

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/podsecrets/podsecrets/internal/node/reader"
)

// read writes a report, and with -every further ones until SIGTERM.
func read(args []string) error {
	f := flag.NewFlagSet("read", flag.ContinueOnError)
	ask := f.String("ask", "", "requests for Flyte's client: a JSON list in base64")
	every := f.Duration("every", 0, "interval of further reports; 0 for a single one")
	sleep := f.Duration("sleep", 0, "wait before exiting, unless stopped")
	code := f.Int("exit", 0, "exit code")
	if err := f.Parse(args); err != nil {
		return err
	}
	calls, err := parseCalls(*ask)
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	for {
		report, err := reader.New(args, calls)
		if err != nil {
			return err
		}
		out, err := json.Marshal(report)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", out)
		wait := *sleep
		if *every > 0 {
			wait = *every
		}
		select {
		case <-stop:
			return nil
		case <-time.After(wait):
		}
		if *every == 0 {
			os.Exit(*code)
		}
	}
}

func parseCalls(text string) (all []reader.Call, err error) {
	if text == "" {
		return nil, nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(raw, &all)
}
