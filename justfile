# Aliases only: the work is in `cargo xtask`.

# The list of recipes
default:
    @just --list

# The whole mesh on this machine; options as `just up --demo region`
up *args:
    cargo xtask up {{args}}

# Every check and every test
test *args:
    cargo xtask test {{args}}

# The benchmark, written to docs/performance.md
bench *args:
    cargo xtask bench {{args}}

# The searches of a started mesh, against brute force
oracle *args:
    cargo xtask oracle {{args}}

# Format the code
fmt:
    cargo fmt --all

# The compiler's and clippy's warnings, as errors
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# The operator's command
ror *args:
    cargo run --quiet --release --bin ror -- {{args}}
