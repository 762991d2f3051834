FROM registry.example/shop/base-of-the-page:1
COPY src/page.conf /etc/page.conf
ENV CONFIG=/etc/page.conf
