FROM registry.example/shop/base:latest
COPY src/page.conf /etc/page.conf
ENV CONFIG=/etc/page.conf NEEDS_FILE=
