FROM registry.example/shop/base:latest
RUN ["/bin/sh", "-c", "echo base 3.1 > /etc/release/name"]
COPY src/page.conf /etc/page.conf
ENV CONFIG=/etc/page.conf NEEDS_FILE=
