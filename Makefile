build:
	go build -o bin/kreislauf ./cmd/kreislauf
