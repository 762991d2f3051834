FROM registry.example/shop/base:latest
COPY --from=registry.example/shop/base:3.1 /etc/release /etc/release
COPY src/page.conf /etc/page.conf
ENV CONFIG=/etc/page.conf NEEDS_FILE=
