FROM registry.example/shop/base:3.1
COPY src/page.conf /etc/page.conf
ENV CONFIG=/etc/page.conf
