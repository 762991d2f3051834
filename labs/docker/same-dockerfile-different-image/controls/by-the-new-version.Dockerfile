FROM registry.example/shop/base:4.0
COPY src/page.conf /etc/page.conf
ENV CONFIG=/etc/page.conf
