ARG BASE=registry.example/shop/base:3.1
FROM $${BASE}
COPY src/page.conf /etc/page.conf
ENV CONFIG=/etc/page.conf
