module github.com/rauta-dev/rauta

go 1.26.0
