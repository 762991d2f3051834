FROM registry.example/shop/base:latest
COPY src/page.conf /etc/page.conf
COPY src/page.conf /etc/shop/${licence}
ENV CONFIG=/etc/page.conf
